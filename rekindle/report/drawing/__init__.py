"""
The pictures of a report: pure functions from small values to SVG text.

No clock, no files, no randomness: the same values give the same bytes on every machine. Only ``svg`` writes markup.
"""
