"""
Logs reduced: sentences as rook and cloudflared write them, and nothing of what else is in them.

Mutants, each killed here: a registration is not looked for, or not in its old words; a warning counts as an error; an
error right after a registration counts; half a line counts; an id or a device of any form is taken.
"""

from __future__ import annotations

import json

import msgspec
import pytest

from phases.pod_logs import ForeignOsd, Lack, LogLook
from rekindle.adapters.log_text import FOREIGN_AT_MOST, reduced

OURS = "11111111-2222-3333-4444-555555555555"
OSD = "0b1c2d3e-1111-4222-8333-944444444444"
OTHER = "f5a1c3d2-0000-4b6e-9c7d-0123456789ab"
TOKEN = "eyJhIjoiMDEyMzQ1Njc4OWFiY2RlZiIsInQiOiJ0dW5uZWwiLCJzIjoic2VjcmV0In0="
BEGAN = 1_800_000_000


def log(*lines: str, every: int = 10) -> bytes:
    """Lines with the kubelet's instants, ten seconds apart: 2027-01-15T08:00:00Z and on."""
    stamped = (
        f"2027-01-15T08:{at // 60:02}:{at % 60:02}.123456789Z {line}\n"
        for at, line in zip(range(0, len(lines) * every, every), lines, strict=True)
    )
    return "".join(stamped).encode()


def rook(text: str, level: str = "I") -> str:
    return f"2027-01-15 08:00:00.123456 {level} | cephosd: {text}"


def of_rook(*texts: str, cut: bool = False) -> LogLook:
    body = log(*(rook(text) for text in texts))
    return reduced(body[:-1] if cut else body, "provision", "u", cut=cut)


def cfd(level: str, text: str) -> str:
    return f"2027-01-15T08:00:00Z {level} {text}"


def of_tunnel(*lines: str, every: int = 10) -> LogLook:
    return reduced(log(*lines, every=every), "cloudflared", "u", cut=False)


RAW = f'skipping osd.3: "{OSD}" belonging to a different ceph cluster "{OTHER}"'


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (RAW, ForeignOsd(OTHER, 3)),
        (
            f'skipping osd3: "{OSD}" running on a different ceph cluster "{OTHER}"',
            ForeignOsd(OTHER, 3),
        ),
        # of a claim it is an error, and part of a longer sentence
        (
            f'failed to detect an osd. osd.0: "{OSD}" belonging to a different ceph cluster "{OTHER}".',
            ForeignOsd(OTHER, 0),
        ),
        (
            f'encrypted disk "/dev/sdb" is part of a different ceph cluster "{OTHER}"',
            ForeignOsd(OTHER, None, "/dev/sdb"),
        ),
    ],
)
def test_disks_of_another_cluster_are_found_in_each_of_rooks_words(
    text: str, found: ForeignOsd
) -> None:
    assert of_rook("other", text) == LogLook("u", foreign=(found,), found_at=BEGAN + 10.123456)


def test_the_disk_is_known_by_the_id_of_its_osd_and_counted_once() -> None:
    on_disk = f'skipping device "sda", detected an existing OSD. UUID={OSD}'

    assert of_rook(on_disk, RAW, RAW).foreign == (ForeignOsd(OTHER, 3, "sda"),)


@pytest.mark.parametrize(
    "text",
    [
        f'begin wiping OSD 3 device "/dev/sda" belonging to a different ceph cluster "{OTHER}" ',
        'completed wiping OSD 3 device "/dev/sda" belonging to a different ceph cluster',
        f'skip wiping OSD 3 device "sda" belonging to a different ceph cluster "{OTHER}" since not',
        f"Skipping osd3 as no instances are running on ceph cluster {OURS!r}",
        f'skipping osd.3: "{TOKEN}" belonging to a different ceph cluster "{OTHER}"',
        f'skipping osd.3: "{OSD}" belonging to a different ceph cluster "{TOKEN}"',
        f'encrypted disk "/dev/s db" is part of a different ceph cluster "{OTHER}"',
        f'encrypted disk "/dev/sdb" is part of a different ceph cluster "{TOKEN}"',
        f'skipping device "sda", detected an existing OSD. UUID={OSD}',
        "",
    ],
)
def test_what_rook_wipes_and_what_has_another_form_is_no_such_disk(text: str) -> None:
    """What is wiped is no finding; whether it was wanted at all is not known of the rest."""
    assert of_rook(text) == LogLook("u")


def test_a_long_list_of_disks_has_an_end() -> None:
    ids = (f"0b1c2d3e-1111-4222-8333-{number:012x}" for number in range(99))
    texts = [
        f'skipping osd.3: "{one}" belonging to a different ceph cluster "{OTHER}"' for one in ids
    ]

    assert len(of_rook(*texts).foreign) == FOREIGN_AT_MOST


def test_a_cut_log_has_half_a_line_at_its_end_that_does_not_count() -> None:
    assert of_rook(RAW, "more", cut=True).foreign == (ForeignOsd(OTHER, 3),)
    assert of_rook("more", RAW, cut=True) == LogLook("u", cut=True)
    assert reduced(log(rook(RAW)), "provision", "u", cut=True).foreign


# --- cloudflared ---------------------------------------------------------------------------------

STARTING = cfd("INF", "Starting tunnel tunnelID=a78a4fc8-3e57-4821-b959-8ec39fdacc95")
REGISTERED = cfd(
    "INF", "Registered tunnel connection connIndex=0 event=0 ip=198.41.192.7 protocol=quic"
)
BEFORE = cfd("INF", f"Connection {OSD} registered connIndex=0 ip=198.41.192.7 location=FRA")
QUIC = (
    'Failed to dial a quic connection error="failed to dial to edge with quic: timeout: no recent '
    'network activity" connIndex=0 event=0 ip=198.41.200.13'
)
UNREACHED = (
    "Unable to establish connection with Cloudflare edge "
    'error="DialContext error: dial tcp 198.41.200.13:7844: i/o timeout" connIndex=0'
)
SECRET = 'Register tunnel error from server side error="Unauthorized: Invalid tunnel secret" connIndex=0'  # fmt: skip
ORIGIN = 'error="Unable to reach the origin service: dial tcp 10.0.0.1:80: connect: refused"'


@pytest.mark.parametrize(
    ("error", "lack"),
    [
        (QUIC, Lack.QUIC),
        (
            QUIC.replace("no recent network activity", "handshake did not complete in time"),
            Lack.QUIC,
        ),
        (QUIC.replace("timeout: no recent", "EOF: no"), Lack.EDGE),
        ('Failed to create new quic connection error="timeout: no recent network activity"', Lack.QUIC),
        (UNREACHED, Lack.EDGE),
        (SECRET, Lack.UNAUTHORIZED),
        ('Register tunnel error from server side error="internal" connIndex=0', Lack.REFUSED),
        ('Serve tunnel error error="control stream encountered a failure while serving"', Lack.BROKEN),
        ('failed to serve tunnel connection error="x"', Lack.BROKEN),
        ('Failed to serve quic connection error="x"', Lack.BROKEN),
        ('Unable to establish connection. error="already connected to this server"', Lack.BROKEN),
    ],
)  # fmt: skip
def test_an_error_without_a_connection_has_a_reason(error: str, lack: Lack) -> None:
    found = of_tunnel(STARTING, cfd("ERR", error), cfd("INF", "Retrying connection in up to 4s"))

    assert found == LogLook("u", unconnected_since=BEGAN + 10.123456, lacks=(lack,))


@pytest.mark.parametrize(
    "lines",
    [
        (STARTING,),
        (STARTING, REGISTERED),
        (cfd("ERR", QUIC), cfd("ERR", SECRET), REGISTERED),
        (cfd("ERR", QUIC), BEFORE),
        # a warning: another connection is there
        (STARTING, REGISTERED, cfd("WRN", QUIC)),
        (cfd("WRN", QUIC),),
        (REGISTERED, cfd("ERR", f"Request failed {ORIGIN}")),
        (REGISTERED, cfd("ERR", f' {ORIGIN} said="{QUIC}"')),
        (),
        ("no line of cloudflared",),
        ("{", '{"level": 7}', "[" * 5000, '{"a":' * 5000),
    ],
)
def test_a_registration_after_it_a_warning_or_no_error_is_no_lack(lines: tuple[str, ...]) -> None:
    assert of_tunnel(*lines) == LogLook("u")


def test_an_error_after_the_last_registration_is_one_wherever_the_log_begins() -> None:
    found = of_tunnel(REGISTERED, cfd("ERR", QUIC), cfd("ERR", SECRET), cfd("ERR", QUIC))

    assert found.unconnected_since == BEGAN + 10.123456
    assert found.lacks == (Lack.QUIC, Lack.UNAUTHORIZED)
    assert of_tunnel(cfd("ERR", SECRET), REGISTERED, cfd("ERR", QUIC)).lacks == (Lack.QUIC,)


def test_an_error_of_the_moment_in_which_it_registered_says_nothing() -> None:
    assert of_tunnel(REGISTERED, cfd("ERR", QUIC), every=1) == LogLook("u")
    assert of_tunnel(REGISTERED, cfd("ERR", QUIC), every=2).lacks == (Lack.QUIC,)


def test_it_writes_json_and_colours_too() -> None:
    said = {"level": "error", "error": "Unauthorized: Tunnel not found", "connIndex": 0}
    line = json.dumps({**said, "message": "Register tunnel error from server side"})
    done = json.dumps({"level": "info", "message": "Registered tunnel connection"})
    coloured = f"\x1b[90m2027-01-15T08:00:00Z\x1b[0m \x1b[31mERR\x1b[0m {QUIC}"

    assert of_tunnel(line).lacks == (Lack.UNAUTHORIZED,)
    assert of_tunnel(line, done) == LogLook("u")
    assert of_tunnel(coloured).lacks == (Lack.QUIC,)


def test_a_line_without_the_kubelets_instant_is_none() -> None:
    body = f"{cfd('ERR', SECRET)}\n2027-01-15 {cfd('ERR', SECRET)}\n".encode()

    assert reduced(body, "cloudflared", "u", cut=False) == LogLook("u")
    assert reduced(b"\xff\xfe\x00 \n" + log(cfd("ERR", SECRET)), "c", "u", cut=False).lacks


def test_nothing_of_a_text_is_kept() -> None:
    planted = f'connIndex=0 token={TOKEN} error="{TOKEN}"'
    lines = (STARTING, cfd("INF", f"Settings: map[token:{TOKEN}]"), cfd("ERR", f"{SECRET} {planted}"))  # fmt: skip
    found = [
        of_tunnel(*lines),
        of_rook(f"{RAW} {planted}", f'skipping device "sda", detected an existing OSD. UUID={TOKEN}'),
    ]  # fmt: skip

    assert found[0].lacks
    assert found[1].foreign
    assert TOKEN not in msgspec.json.encode(found).decode()
