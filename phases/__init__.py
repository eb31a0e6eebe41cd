"""
What recovering a Talos + Flux cluster means.

Everything here is pure: facts in, answers out. No clock, no network, no files but the package's own data.
"""
