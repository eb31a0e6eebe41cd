"""
A run's journal in the languages of other tools: pure functions from rows to text.

They read what ``journal.reader`` reads and nothing else, so whoever has the file can make them, long after.
"""
