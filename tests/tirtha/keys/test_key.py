"""A key's text, and when a key is good."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from tirtha.caller import Caller
from tirtha.keys.key import Key, new_text, read_text

NOW = datetime(2026, 5, 8, tzinfo=UTC)
KEY = Key(
    id="abcdefghij",
    tenant="acme",
    name="app",
    rights=frozenset({"read"}),
    user_id="u1",
    trusted_proxy=False,
    created_at=NOW,
    expires_at=None,
    pepper="ours",
)


def test_a_text_is_read_back_and_hides_its_secret() -> None:
    text = new_text()
    assert read_text(str(text)) == text
    assert text.secret not in repr(text)
    assert len({new_text().secret for _ in range(50)}) == len({new_text().id for _ in range(50)}) == 50


GOOD = str(new_text())


@pytest.mark.parametrize(
    "wrong",
    [GOOD[:-1], GOOD + "a", GOOD[4:], GOOD.upper(), f" {GOOD}", f"{GOOD}\n", GOOD[:-1] + "é", "", "trt_"],
    ids=range(9),
)
def test_what_is_not_written_so_is_no_key(wrong: str) -> None:
    assert read_text(wrong) is None


def test_a_key_is_good_until_it_is_not() -> None:
    assert KEY.state(NOW, "ours") == "valid"
    assert KEY.state(NOW, "another") == KEY.state(NOW, None) == "pepper_lost"
    until = replace(KEY, expires_at=NOW + timedelta(seconds=1))
    assert until.state(NOW, "ours") == "valid"
    assert until.state(NOW + timedelta(seconds=1), "ours") == "expired"
    assert replace(until, revoked_at=NOW).state(NOW + timedelta(days=1), None) == "revoked"


def test_who_shows_a_key_is_what_it_says() -> None:
    expected = Caller(tenant="acme", rights=frozenset({"read"}), key_id="abcdefghij", user_id="u1")
    assert KEY.caller() == expected
    assert replace(KEY, time_zone="Asia/Kolkata").caller() == replace(expected, time_zone=ZoneInfo("Asia/Kolkata"))
    east = replace(KEY, time_zone="+02:00").caller().time_zone
    assert east == timezone(timedelta(hours=2))
    assert replace(KEY, time_zone="Atlantis/City").caller() == expected, "a zone that is gone locks nobody out"
