"""
What may happen next, and the turn that makes it happen.

This room knows no cluster: phases hand it facts, guards and verbs; the world is behind a port.
"""
