"""
Why something is not there, and whether waiting can help.

A rule is a pure function of a scene (one frozen snapshot, and what should exist as far as that is known) to findings:
causes, never symptoms of other causes. Findings form a blocked-by graph; people are shown its roots and the number of
what they block. One file per family of rules; every rule says whether it was seen on a real controller or read in its
source. Nothing in here acts, and nothing in here knows a recovery.
"""
