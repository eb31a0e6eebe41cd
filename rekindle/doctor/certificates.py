"""
When a certificate ends and for whom it is, read out of its DER with nothing but the standard library.

Only what is needed of RFC 5280: the validity, and the organisations of the subject, in which Talos keeps its roles.
Nothing is verified: whether a certificate is believed is the server's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_SEQUENCE, _SET, _OID, _VERSION = 0x30, 0x31, 0x06, 0xA0
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_LONG = 0x80
_ORGANISATION = bytes.fromhex("55040a")  # 2.5.4.10


class NotUnderstood(ValueError):  # noqa: N818  it is said of a certificate
    """It is no certificate, or one of a shape that nobody expected."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Instants in seconds since the epoch."""

    not_before: float
    not_after: float
    organisations: tuple[str, ...] = ()


def day(instant: float) -> str:
    """Write an instant as a day, in UTC."""
    return datetime.fromtimestamp(instant, UTC).strftime("%Y-%m-%d")


def parse(der: bytes) -> Certificate:
    """Read a certificate. Raises ``NotUnderstood``."""
    try:
        _, certificate = next(_items(der))
        _, body = next(_items(certificate))
        fields = [item for item in _items(body) if item[0] != _VERSION]
        # serialNumber, signature, issuer, validity, subject
        (_, validity), (_, subject) = fields[3], fields[4]
        begin, end = (_instant(tag, value) for tag, value in _items(validity))
        return Certificate(begin, end, tuple(_organisations(subject)))
    except (IndexError, StopIteration, ValueError) as error:
        raise NotUnderstood("not a certificate") from error


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Walk the elements of one level: tag and content."""
    at = 0
    while at < len(data):
        tag, length, at = data[at], data[at + 1], at + 2
        if length & _LONG:
            count = length & ~_LONG
            length, at = int.from_bytes(data[at : at + count], "big"), at + count
        if at + length > len(data):
            raise NotUnderstood("cut off")
        yield tag, data[at : at + length]
        at += length


def _instant(tag: int, value: bytes) -> float:
    text = value.decode("ascii")
    if tag == _UTC_TIME:
        # RFC 5280 4.1.2.5.1: 50 and more is of the last century.
        text = ("19" if text[:2] >= "50" else "20") + text
    elif tag != _GENERALIZED_TIME:
        raise NotUnderstood("no time")
    return datetime.strptime(text, "%Y%m%d%H%M%SZ").replace(tzinfo=UTC).timestamp()


def _organisations(subject: bytes) -> Iterator[str]:
    for tag, relative in _items(subject):
        for _, pair in _items(relative) if tag == _SET else ():
            (kind, name), (_, value) = list(_items(pair))[:2]
            if kind == _OID and name == _ORGANISATION:
                yield value.decode(errors="replace")
