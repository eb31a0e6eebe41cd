"""
The tables, and the triggers by which the database itself refuses what must never happen.

The triggers guard against mistakes, ours and those of somebody with a SQLite shell; against intent there is the chain.
"""

from __future__ import annotations

from typing import Final

from sqlalchemy import (
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

METADATA: Final = MetaData()

meta: Final = Table(
    "meta",
    METADATA,
    Column("key", Text, primary_key=True),  # journal_id, schema, rekindle
    Column("value", Text, nullable=False),
)

entries: Final = Table(
    "entries",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("run_id", Text, nullable=False),
    Column("seq", Integer, nullable=False),
    Column("kind", Text, nullable=False),
    Column("at", Float, nullable=False),
    Column("wall_ns", Integer, nullable=False),
    Column("monotonic_ns", Integer, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload_digest", LargeBinary, nullable=False),
    Column("previous", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
    UniqueConstraint("run_id", "seq"),
)
_MILESTONES: Final = entries.c.kind.in_(("run.opened", "run.closed", "redacted"))
Index("entries_milestones", entries.c.kind, entries.c.run_id, sqlite_where=_MILESTONES)

payloads: Final = Table(
    "payloads",
    METADATA,
    Column("id", Integer, ForeignKey("entries.id"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

# The newest of each run; an older one might keep what was withdrawn since.
checkpoints: Final = Table(
    "checkpoints",
    METADATA,
    Column("run_id", Text, primary_key=True),
    Column("entry_id", Integer, ForeignKey("entries.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("anchor", LargeBinary, nullable=False),  # the hash of that entry
    Column("digest", LargeBinary, nullable=False),  # of anchor and body
    Column("body", LargeBinary, nullable=False),
)

lease: Final = Table(
    "lease",
    METADATA,
    Column("id", Integer, CheckConstraint("id = 1"), primary_key=True, autoincrement=False),
    Column("epoch", Integer, nullable=False),
    Column("holder", Text, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("boot_id", Text, nullable=False),
    Column("since", Float, nullable=False),
    Column("expires", Float, nullable=False),
    Column("heartbeat_wall", Float, nullable=False),
    Column("heartbeat_world", Float, nullable=False),
)

SQLITE_TRIGGERS: Final = (
    """
    CREATE TRIGGER entries_follow BEFORE INSERT ON entries
    WHEN NEW.id IS NOT (SELECT COALESCE(MAX(id), 0) + 1 FROM entries)
      OR NEW.seq IS NOT (SELECT COALESCE(MAX(seq), 0) + 1 FROM entries WHERE run_id = NEW.run_id)
      OR NEW.previous IS NOT COALESCE((SELECT hash FROM entries WHERE id = NEW.id - 1), NEW.previous)
    BEGIN SELECT RAISE(ABORT, 'an entry must follow the last one without a gap'); END
    """,
    """
    CREATE TRIGGER entries_never_change BEFORE UPDATE ON entries
    BEGIN SELECT RAISE(ABORT, 'an entry is never changed'); END
    """,
    """
    CREATE TRIGGER entries_stay BEFORE DELETE ON entries
    BEGIN SELECT RAISE(ABORT, 'an entry is never deleted'); END
    """,
    """
    CREATE TRIGGER payloads_belong BEFORE INSERT ON payloads
    WHEN EXISTS (SELECT 1 FROM payloads WHERE id = NEW.id)
      OR NOT EXISTS (SELECT 1 FROM entries WHERE id = NEW.id)
    BEGIN SELECT RAISE(ABORT, 'a payload belongs to one entry and is never replaced'); END
    """,
    """
    CREATE TRIGGER payloads_never_change BEFORE UPDATE ON payloads
    BEGIN SELECT RAISE(ABORT, 'a payload is never changed'); END
    """,
    """
    CREATE TRIGGER payloads_stay BEFORE DELETE ON payloads
    WHEN NOT EXISTS (
      SELECT 1 FROM entries AS target
      JOIN entries AS withdrawal
        ON withdrawal.kind IN ('run.opened', 'run.closed', 'redacted')
        AND withdrawal.kind = 'redacted' AND withdrawal.run_id = target.run_id
      JOIN payloads AS reason ON reason.id = withdrawal.id
      WHERE target.id = OLD.id AND target.kind NOT IN ('run.opened', 'redacted')
        AND json_extract(CAST(reason.body AS TEXT), '$.seq') = target.seq)
    BEGIN SELECT RAISE(ABORT, 'a payload stays until an entry withdraws it'); END
    """,
    """
    CREATE TRIGGER meta_never_changes BEFORE UPDATE ON meta
    BEGIN SELECT RAISE(ABORT, 'what a journal is never changes'); END
    """,
    """
    CREATE TRIGGER meta_stays BEFORE DELETE ON meta
    BEGIN SELECT RAISE(ABORT, 'what a journal is never changes'); END
    """,
)
