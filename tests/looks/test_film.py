"""
What a session saw, written beside its journal and read again.

Mutants that turn one of these red: do not redact a value; never compare with the last look; count a killed session's
last look; write over the limit; do not cut off a block that is not whole; raise what the disk says; believe a block
whatever its checksum says; begin each checksum anew; write checksums into a file that was begun without.
"""

from __future__ import annotations

import errno
import os
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from phases.followed import Followed
from phases.objects import Meta, Namespace
from phases.pod_logs import ForeignOsd, Lack, LogLook
from phases.snapshot import KubeconfigLook, Seen, Snapshot, Unseen
from rekindle.looks import film as films
from rekindle.looks.film import (
    FILM_BYTES,
    MAGIC,
    WITHOUT_CHECKSUMS,
    Film,
    FilmTorn,
    records,
)
from rekindle.looks.frames import Diagnosed, Differ, End, Frame, Joiner
from rekindle.looks.recorder import Recorder
from rekindle.looks.takes import Takes
from tests.journal.test_redactor import PLANTED
from tests.looks.making import night


def spaces(*names: str, **annotations: str) -> Followed:
    return Followed({n: Namespace(metadata=Meta(name=n, annotations=annotations)) for n in names})


def look(at: float, listed: Followed | None = None, *, config: str = "ours") -> Snapshot:
    objects: dict[str, Any] = {"Namespace": Seen(listed, at)} if listed is not None else {}
    return Snapshot(at=at, kubeconfig=Seen(KubeconfigLook(config), at), objects=objects)


def names(snapshot: Snapshot) -> set[str]:
    listed = snapshot.objects["Namespace"]
    assert isinstance(listed, Seen)
    return set(listed.value)


def plain(snapshot: Snapshot) -> Snapshot:
    """The same look in plain mappings."""
    objects = {
        kind: Seen(dict(seen.value), seen.at) if isinstance(seen, Seen) else seen
        for kind, seen in snapshot.objects.items()
    }
    return replace(snapshot, objects=objects)


def test_a_recovery_is_read_again_look_by_look(tmp_path: Path) -> None:
    found = night(tmp_path)

    takes = Takes(found.film)
    again = [take.snapshot for take in takes]

    assert len(again) == len(found.seen) > 50
    assert [plain(one) for one in again] == [plain(one) for one in found.seen]
    assert takes.said == []
    assert found.film.stat().st_mode & 0o777 == 0o600
    assert found.film.stat().st_size < 100_000


def test_only_what_changed_is_written() -> None:
    differ = Differ()
    first = spaces("a", "b")
    differ.frame(look(1.0, first), 1)
    second = first.after([("b", None), ("c", spaces("c")["c"])])

    same = differ.frame(look(2.0, first), 2)
    frame = differ.frame(look(3.0, second), 3)

    assert (same.objects, same.seen, same.unseen) == ({}, {}, {})
    assert b'"c"' in bytes(frame.objects["Namespace"].found)
    assert b'"a"' not in bytes(frame.objects["Namespace"].found)
    assert frame.objects["Namespace"].gone == ("b",)


def test_what_is_listed_anew_and_is_the_same_is_not_written_again() -> None:
    differ = Differ()
    differ.frame(look(1.0, spaces("a", "b")), 1)

    again = differ.frame(look(2.0, spaces("a", "b")), 2)
    other = differ.frame(look(3.0, spaces("a", "b", note="x")), 3)

    assert again.objects == {}
    assert other.objects["Namespace"].gone == ()
    assert b'"b"' in bytes(other.objects["Namespace"].found)


def test_what_cannot_be_seen_any_more_and_what_is_seen_again_are_told_apart() -> None:
    differ, joiner = Differ(), Joiner()
    blind = replace(look(2.0), objects={"Namespace": Unseen(1.0, "refused", "no")})
    empty, older = look(3.0, Followed()), replace(look(4.0), kubeconfig=Unseen(4.0, "denied"))
    older = replace(older, objects={"Namespace": Seen(spaces("z"), 2.5)}, revision="abc")
    looks = [look(1.0, spaces("a")), blind, empty, older]

    again = [joiner.snapshot(differ.frame(one, n)) for n, one in enumerate(looks)]

    assert [plain(one) for one in again] == [plain(one) for one in looks]


def test_what_logs_say_is_written_once_and_a_film_without_them_has_none() -> None:
    """Mutants: leave the logs out of a look's sources; write them again at each look."""
    differ, joiner = Differ(), Joiner()
    said = LogLook(
        "u",
        foreign=(ForeignOsd("f5a1c3d2-0000-4b6e-9c7d-0123456789ab", 3, "sda"),),
        unconnected_since=0.5,
        lacks=(Lack.QUIC,),
    )
    logs: dict[str, Seen[LogLook] | Unseen] = {"x/p": Seen(said, 0.9), "x/q": Unseen(0.0, "denied")}
    before, first = look(1.0, spaces("a")), replace(look(2.0, spaces("a")), logs=logs)
    again = replace(first, at=3.0)

    frames = [differ.frame(one, n) for n, one in enumerate((before, first, again))]
    read = [joiner.snapshot(frame) for frame in frames]

    assert [one.logs for one in read] == [{}, logs, logs]
    assert ("logs/x/p" in frames[1].seen, "logs/x/p" in frames[2].seen) == (True, False)


def test_no_secret_reaches_the_file(tmp_path: Path) -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" * 2
    recorder = Recorder(tmp_path / "f", lambda: 1, lambda _text: None)
    recorder.looked(look(1.0, spaces("a", note=f"pull with {token}", password="hunter2hunter2")))
    blind = Unseen(1.0, "refused", f"https://ops:{token}@git.example/ is closed")
    recorder.looked(replace(look(2.0, spaces("a")), api=blind))
    recorder.done()

    takes = list(Takes(tmp_path / "f"))

    kept = "".join(str(take.snapshot) for take in takes)
    assert "is closed" in kept
    assert token not in kept
    assert "hunter2" not in kept
    assert "[redacted:github-token]" in kept


def test_no_kind_of_secret_reaches_the_file(tmp_path: Path) -> None:
    """Each in what an object says, and in why a source is blind. Mutant: write a value, or a why, as it is."""
    recorder = Recorder(tmp_path / "f", lambda: 1, lambda _text: None)
    said = {f"kind-{n}": text for n, (text, _) in enumerate(PLANTED.values())}
    recorder.looked(look(1.0, spaces("a", **said)))
    for text in said.values():
        recorder.looked(replace(look(2.0, spaces("a")), api=Unseen(1.0, "refused", text)))
    recorder.done()

    kept = "".join(str(take.snapshot) for take in Takes(tmp_path / "f"))
    assert "[redacted:" in kept
    assert [kind for kind, (_, secret) in PLANTED.items() if secret in kept] == []


def test_a_killed_session_loses_its_last_look_and_the_next_goes_on(tmp_path: Path) -> None:
    path, position = tmp_path / "f", [1]
    killed = Recorder(path, lambda: position[0], lambda _text: None)
    killed.looked(look(1.0, spaces("a")))
    position[0] = 5
    killed.looked(look(2.0, spaces("a", "b")))
    killed.close()
    with path.open("ab") as file:
        file.write(b"M\x00\x00\x01\x00torn")
    position[0] = 9
    following = Recorder(path, lambda: position[0], lambda _text: None)
    following.looked(look(3.0, spaces("c")))
    position[0] = 12
    following.done()

    takes = Takes(path)
    found = [(take.after, take.until, names(take.snapshot)) for take in takes]

    assert found == [(1, 5, {"a"}), (9, 12, {"c"})]
    assert takes.said == []


def test_a_full_film_says_so_and_the_run_goes_on(tmp_path: Path) -> None:
    found = night(tmp_path, limit=8_000)

    takes = Takes(found.film)
    kept = list(takes)

    assert 0 < len(kept) < len(found.seen)
    assert found.film.stat().st_size <= 8_000
    assert any("is full: from here on looks are not recorded" in line for line in found.said)
    assert takes.said == [f"it was full after entry {kept[-1].after}"]
    result, _ = found.replayed()
    assert result.same
    assert result.replayer.counted.looks == len(kept)


def test_a_limit_reached_between_a_look_and_its_diagnosis_takes_the_look_with_it(
    tmp_path: Path,
) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "f", lambda: 3, said.append)
    recorder.looked(look(1.0))
    recorder._film._limit = 0  # type: ignore[union-attr]
    recorder.diagnosed()

    assert list(Takes(tmp_path / "f")) == []
    assert "is full" in said[-1]


@pytest.mark.parametrize("call", ["looked", "diagnosed"])
def test_a_disk_that_refuses_ends_the_recording_and_not_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    said: list[str] = []
    recorder = Recorder(tmp_path / "f", lambda: 1, said.append)
    recorder.looked(look(1.0))

    def full(_descriptor: int, _body: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("rekindle.looks.film.os.write", full)
    again: Callable[[], None] = {
        "looked": lambda: recorder.looked(look(2.0)),
        "diagnosed": recorder.diagnosed,
    }[call]
    again()
    again()
    recorder.done()

    assert said[1:] == [f"looks are not recorded in {tmp_path / 'f'}: No space left on device"]


def test_what_is_no_film_of_ours_is_left_alone(tmp_path: Path) -> None:
    path, said = tmp_path / "f", list[str]()
    path.write_text("something of somebody's")

    Recorder(path, lambda: 1, said.append).looked(look(1.0))

    assert path.read_text() == "something of somebody's"
    assert "is no recording of ours" in said[0]
    with pytest.raises(FilmTorn, match="no recording"):
        list(records(path))


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"", "it is empty"),
        (MAGIC[:-1], "it is no recording of looks"),
        (b"x" * 100, "it is no recording of looks"),
        (MAGIC + b"N\x00", "its end is missing from byte 17 on"),
        (MAGIC + b"N\x00\x00\x00\x03\x00\x00\x00\x00ab", "its end is missing from byte 17 on"),
        (MAGIC + b"N\x00\x00\x00\x03\x00\x00\x00\x00abc", "it is damaged at byte 17"),
        (MAGIC + b"N\xff\xff\xff\xff\x00\x00\x00\x00", "its end is missing from byte 17 on"),
        (WITHOUT_CHECKSUMS + b"N\x00", "its end is missing"),
        (WITHOUT_CHECKSUMS + b"N\x00\x00\x00\x09abc", "its end is missing"),
        (WITHOUT_CHECKSUMS + b"N\x00\x00\x00\x03abc", "it cannot be read from byte 17 on"),
        (WITHOUT_CHECKSUMS + b"N\xff\xff\xff\xff", "its end is missing"),
    ],
)
def test_a_film_that_is_not_whole_says_from_where(tmp_path: Path, body: bytes, why: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(body)

    takes = Takes(path)

    assert list(takes) == []
    assert takes.torn.startswith(why)


def test_a_session_that_ended_before_a_look_damaged_nothing(tmp_path: Path) -> None:
    """Mutant: call it damaged, as what is empty."""
    Film(tmp_path / "f").close()

    takes = Takes(tmp_path / "f")

    assert list(takes) == []
    assert (takes.said, takes.torn) == (["it has no look"], "")


@pytest.mark.parametrize("recording", [True, False])
def test_an_end_that_is_missing_is_to_come_while_somebody_records(
    tmp_path: Path, *, recording: bool
) -> None:
    """Mutants: believe so of a film that nobody writes; of a block that is damaged."""
    path = tmp_path / "f"
    path.write_bytes(MAGIC + b"N\x00")
    takes = Takes(path, recording=recording)
    damaged = tmp_path / "g"
    damaged.write_bytes(MAGIC + b"N\x00\x00\x00\x03\x00\x00\x00\x00abc")
    others = Takes(damaged, recording=recording)

    assert [*takes, *others] == []
    assert bool(takes.torn) is not recording
    assert others.torn.startswith("it is damaged")


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    """To open a pipe is to wait for whoever writes into it. Mutant: open it."""
    os.mkfifo(tmp_path / "pipe")
    folder, pipe = Takes(tmp_path), Takes(tmp_path / "pipe")

    assert [*folder, *pipe] == []
    assert (folder.torn, pipe.torn) == ("it cannot be read: Is a directory", "it is no file")


def two_looks(path: Path) -> None:
    """A film of two looks and its end, in one stream but for the end."""
    recorder = Recorder(path, lambda: 1, lambda _text: None)
    recorder.looked(look(1.0, spaces("a")))
    recorder.looked(look(2.0, spaces("a", "b")))
    recorder.done()


def test_each_byte_that_flipped_is_damage_and_no_look(tmp_path: Path) -> None:
    path = tmp_path / "f"
    two_looks(path)
    whole = path.read_bytes()

    for place in range(len(whole)):
        path.write_bytes(bytes([*whole[:place], whole[place] ^ 1, *whole[place + 1 :]]))
        takes = Takes(path)
        assert [names(take.snapshot) for take in takes] in ([], [{"a"}])
        assert takes.torn


def test_a_block_that_was_taken_out_is_damage(tmp_path: Path) -> None:
    """What follows it may unpack, into what nobody saw. Mutant: begin each checksum anew."""
    path = tmp_path / "f"
    two_looks(path)
    whole, first = path.read_bytes(), len(MAGIC)
    second = first + 9 + int.from_bytes(whole[first + 1 : first + 5])
    third = second + 9 + int.from_bytes(whole[second + 1 : second + 5])
    path.write_bytes(whole[:second] + whole[second:third] * 2 + whole[third:])

    with pytest.raises(FilmTorn, match=f"damaged at byte {third}"):
        list(records(path))


def test_a_recording_of_an_older_rekindle_is_read_and_gone_on_with(tmp_path: Path) -> None:
    path = tmp_path / "f"
    path.write_bytes(WITHOUT_CHECKSUMS)
    two_looks(path)
    whole = path.read_bytes()
    two_looks(path)

    takes = Takes(path)
    found = [names(take.snapshot) for take in takes]

    assert path.read_bytes() == whole + whole[len(MAGIC) :]
    assert found == [{"a"}, {"a", "b"}] * 2
    assert (len(takes.said), takes.torn) == (1, "")
    assert takes.said[0].startswith("it has no checksums")


def test_a_block_that_unpacks_to_more_than_any_look_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(films, "RECORD_BYTES", 1000)
    body = zlib.compress(b" " * 5000)
    block = b"N" + len(body).to_bytes(4, "big") + body
    (tmp_path / "f").write_bytes(WITHOUT_CHECKSUMS + block)

    with pytest.raises(FilmTorn, match="larger than any look"):
        list(records(tmp_path / "f"))


def test_every_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    film = Film(tmp_path / "f", limit=FILM_BYTES)
    frame = Differ().frame(look(1.0, spaces("a")), 7)
    for record in (frame, Diagnosed()):
        film.write(record)
    film.end("closed", 8)
    film.close()

    first, *others = records(tmp_path / "f")

    assert isinstance(first, Frame)
    assert (first.after, first.whole) == (7, True)
    assert others == [Diagnosed(), End(8, "closed")]
