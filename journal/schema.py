"""What every reader of a journal file must know of its layout; without SQLAlchemy, so that reading starts fast."""

from __future__ import annotations

from typing import Final

SCHEMA_VERSION: Final = 1  # PRAGMA user_version
APPLICATION_ID: Final = 0x726B646C  # PRAGMA application_id: "rkdl"

ENTRY_COLUMNS: Final = (
    "id",
    "run_id",
    "seq",
    "kind",
    "at",
    "wall_ns",
    "monotonic_ns",
    "boot_id",
    "epoch",
    "version",
    "payload_digest",
    "previous",
    "hash",
)

RECORD_COLUMNS: Final = (*ENTRY_COLUMNS, "body")
SELECT_RECORDS: Final = (
    "SELECT " + ", ".join(f"entries.{name}" for name in ENTRY_COLUMNS) + ", payloads.body "
    "FROM entries LEFT JOIN payloads ON payloads.id = entries.id"
)

# What a fold needs of an entry: a third of what the columns of the chain cost to read.
SELECT_SAID: Final = (
    "SELECT entries.id, kind, version, body "
    "FROM entries LEFT JOIN payloads ON payloads.id = entries.id"
)

# The words of the partial index: SQLite takes it only for a condition that repeats them.
MILESTONE_KINDS: Final = ("run.opened", "run.closed", "redacted")
MILESTONES: Final = "kind IN ('run.opened', 'run.closed', 'redacted')"

OBJECTS: Final = frozenset(
    {
        "meta",
        "entries",
        "payloads",
        "checkpoints",
        "lease",
        "entries_milestones",
        "entries_follow",
        "entries_never_change",
        "entries_stay",
        "payloads_belong",
        "payloads_never_change",
        "payloads_stay",
        "meta_never_changes",
        "meta_stays",
    }
)
