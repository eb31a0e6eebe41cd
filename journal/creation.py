"""A new journal file: it appears with its schema and its first entries, or not at all."""

from __future__ import annotations

import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sqlalchemy import insert

from journal import connection, files, schema, tables
from journal.options import Synchronous

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.engine import Connection


@contextmanager
def building(path: Path, *, synchronous: Synchronous) -> Iterator[Connection]:
    """
    Lend a connection to a file under a temporary name; it gets its own name when the block ends well.

    Call it with the OS lock held: what earlier attempts have left behind is cleared away.
    """
    prefix = f".{path.name}.building-"
    for stale in path.parent.glob(f"{_literal(prefix)}*"):
        with suppress(OSError):
            stale.unlink()
    temporary = path.with_name(prefix + secrets.token_hex(8))
    files.create_private(temporary)
    try:
        opened = connection.connect(temporary, synchronous=synchronous, wal=False)
        try:
            yield opened
            # Under its own name the file never changes its mode: whoever is killed while it does leaves a rollback
            # journal behind, and no reader may roll back.
            connection.log_ahead(opened, temporary)
        finally:
            connection.disconnect(opened)
        if synchronous == "full":
            files.sync_file(temporary)
        temporary.rename(path)
        if synchronous == "full":
            files.sync_folder(path.parent)
    except BaseException:
        for suffix in ("", "-journal", "-wal", "-shm"):
            with suppress(OSError):
                files.beside(temporary, suffix).unlink()
        raise


def create_schema(opened: Connection, *, journal_id: str, rekindle: str) -> None:
    """Lay out an empty journal, inside the caller's transaction."""
    opened.exec_driver_sql(f"PRAGMA application_id = {schema.APPLICATION_ID}")
    opened.exec_driver_sql(f"PRAGMA user_version = {schema.SCHEMA_VERSION}")
    tables.METADATA.create_all(opened, checkfirst=False)
    for trigger in tables.SQLITE_TRIGGERS:
        opened.exec_driver_sql(trigger)
    opened.execute(
        insert(tables.meta),
        [
            {"key": "journal_id", "value": journal_id},
            {"key": "schema", "value": str(schema.SCHEMA_VERSION)},
            {"key": "rekindle", "value": rekindle},
        ],
    )


def _literal(prefix: str) -> str:
    return "".join(f"[{letter}]" if letter in "*?[" else letter for letter in prefix)
