"""
Recorded looks: what a session saw of its cluster, beside its journal, so that ``replay`` can reduce and diagnose again.

Optional, bounded, redacted and no evidence: a run goes on without it, and nothing is decided from it.
"""
