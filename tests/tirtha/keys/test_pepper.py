"""The pepper's file: made whole, for its owner alone, and never replaced."""

import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tirtha.errors import PepperUnusable
from tirtha.keys.pepper import Pepper, PepperFile


def test_it_is_made_once_and_read_again(tmp_path: Path) -> None:
    file = PepperFile(tmp_path / "pepper")
    assert file.read() is None
    made = file.read_or_make()
    assert file.read() == file.read_or_make() == made
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["pepper"], "no draft is left"
    assert made.value.decode() not in repr(made)


def test_the_umask_does_not_open_it(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        PepperFile(tmp_path / "pepper").read_or_make()
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "pepper").stat().st_mode) == 0o600


def test_who_makes_it_at_once_gets_the_same(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(pool.map(lambda _: PepperFile(tmp_path / "pepper").read_or_make().value, range(40)))
    assert len(set(made)) == 1


def test_one_that_was_written_by_hand_may_end_with_a_line_break(tmp_path: Path) -> None:
    (tmp_path / "pepper").write_bytes(b"sixteen bytes at least\r\n")
    assert PepperFile(tmp_path / "pepper").read() == Pepper(b"sixteen bytes at least")


def test_a_file_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    (tmp_path / "short").write_text("too short\n")
    for path, why in (
        (tmp_path / "short", "it holds 9 bytes"),
        (tmp_path, "cannot be read"),
        (tmp_path / "no" / "pepper", "cannot be written"),
    ):
        with pytest.raises(PepperUnusable, match=why) as caught:
            PepperFile(path).read_or_make()
        assert caught.value.path == path
        assert str(path) in str(caught.value)


def test_digest_and_fingerprint_are_of_this_pepper_only() -> None:
    one, other = Pepper(b"a" * 32), Pepper(b"b" * 32)
    assert one.digest("secret") == one.digest("secret") != other.digest("secret")
    assert one.digest("secret") != one.digest("secret2")
    assert one.fingerprint != other.fingerprint
    assert one.fingerprint not in one.digest("secret")
