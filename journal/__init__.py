"""
What happened: the entries of a run, kept for ever.

This room knows no meaning: it stores entries, chains them, and says who may append. It imports nothing of ours.
"""
