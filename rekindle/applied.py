"""
What an action applies: the file, or the folder of them, that its intent names.

A table of its own, and not a part of the catalogue of verbs: ``log`` says it, and must be quick.
"""

from __future__ import annotations

from journal import entries as e

SOURCES = {
    "talos.apply": "config",
    "crd.preapply": "path",
    "root.apply": "path",
    "apply.give-back": "path",
}


def applied(entry: e.ActionIntended) -> str:
    """Name what an action applies, with the digest that it is held against if there is one; empty: no file."""
    source = str(entry.arguments.get(SOURCES.get(entry.verb, ""), ""))
    digest = str(entry.arguments.get("sha256", ""))
    return f"{source} (sha256 {digest[:12]})" if source and digest else source
