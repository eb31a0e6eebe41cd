"""
When a certificate ends, for whom it is and whose, read out of its DER with nothing but the standard library.

Only what is needed of RFC 5280: the validity, the organisations of the subject, in which Talos keeps its roles, and
what names the issuer. No signature is verified: whether a certificate is believed is the server's business.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

_SEQUENCE, _SET, _OID, _VERSION, _EXTENSIONS = 0x30, 0x31, 0x06, 0xA0, 0xA3
_KEY_IDENTIFIER = 0x80
_UTC_TIME, _GENERALIZED_TIME = 0x17, 0x18
_LONG = 0x80
_ORGANISATION = bytes.fromhex("55040a")  # 2.5.4.10
_SUBJECT_KEY, _AUTHORITY_KEY = bytes.fromhex("551d0e"), bytes.fromhex("551d23")  # 2.5.29.14, 35


class NotUnderstood(ValueError):  # noqa: N818  it is said of a certificate
    """It is no certificate, or one of a shape that nobody expected."""


@dataclass(frozen=True, slots=True)
class Certificate:
    """Instants in seconds since the epoch; names in DER; identifiers of keys (empty: it does not say)."""

    not_before: float
    not_after: float
    organisations: tuple[str, ...] = ()
    issuer: bytes = b""
    subject: bytes = b""
    key: bytes = b""
    issuer_key: bytes = b""

    def is_of(self, ca: Certificate) -> bool:
        """
        Say whether that CA may have issued it.

        All CAs of Talos have one name (``O=talos``); which of them it was, only the identifiers of their keys tell.
        """
        same_key = not self.issuer_key or not ca.key or self.issuer_key == ca.key
        return self.issuer == ca.subject and same_key


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
        (_, issuer), (_, validity), (_, subject) = fields[2:5]
        begin, end = (_instant(tag, value) for tag, value in _items(validity))
        keys = dict(_keys(fields[5:]))
        organisations = tuple(_organisations(subject))
        key, issuer_key = keys.get(_SUBJECT_KEY, b""), keys.get(_AUTHORITY_KEY, b"")
        return Certificate(begin, end, organisations, issuer, subject, key, issuer_key)
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


def _keys(fields: list[tuple[int, bytes]]) -> Iterator[tuple[bytes, bytes]]:
    """Find the identifiers of the certificate's own key and of its issuer's: RFC 5280 4.2.1.1 and 4.2.1.2."""
    for tag, extensions in fields:
        for _, extension in _items(next(_items(extensions))[1]) if tag == _EXTENSIONS else ():
            (_, name), *_critical, (_, value) = _items(extension)
            if name == _SUBJECT_KEY:
                yield name, next(_items(value))[1]
            if name == _AUTHORITY_KEY:
                parts = dict(_items(next(_items(value))[1]))
                yield name, parts.get(_KEY_IDENTIFIER, b"")
