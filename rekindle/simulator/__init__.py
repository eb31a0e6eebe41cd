"""
A cluster in memory with a seed, for rehearsals and property tests.

It heals nothing that reality would not heal. Nothing is imported here: a client of a simulated cluster needs none.
"""
