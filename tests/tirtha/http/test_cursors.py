"""Cursors: only what a listing made is read, and only for the request that it was made for."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from memory import TurnPk
from tirtha.errors import BadCursor
from tirtha.http.cursors import LONGEST_CURSOR, SESSIONS, TURNS, TURNS_FOUND, USERS, Cursors
from tirtha.operations.listing import MOST_FOUND

BY = ("default", "u1", None)
NOON = datetime(2023, 5, 8, 12, 0, 0, 123456, tzinfo=UTC)
PLACE = (NOON, TurnPk(7))


def edited(cursor: str, **changed: Any) -> str:
    """The same cursor with some of its fields changed, or left out if None."""
    fields = json.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))) | changed
    kept = {name: value for name, value in fields.items() if value is not None}
    return urlsafe_b64encode(json.dumps(kept).encode()).decode().rstrip("=")


def made(place: tuple[datetime, TurnPk] = PLACE) -> str:
    cursor = SESSIONS.write(place, BY)
    assert cursor
    return cursor


def test_a_cursor_holds_a_place_and_comes_back() -> None:
    assert SESSIONS.read(made(), BY) == PLACE
    assert USERS.read(USERS.write("Zoë/日本語 😀", BY), BY) == "Zoë/日本語 😀"
    found = (NOON, [TurnPk(3), TurnPk(1)])
    assert TURNS_FOUND.read(TURNS_FOUND.write(found, BY), BY) == found
    assert SESSIONS.write(None, BY) is None
    assert SESSIONS.read(None, BY) is None


def test_a_moment_is_the_same_moment_whatever_its_zone() -> None:
    tokyo = NOON.astimezone(timezone(timedelta(hours=9)))
    assert SESSIONS.read(made((tokyo, TurnPk(7))), BY) == PLACE


def test_a_cursor_survives_any_url() -> None:
    assert set(made()) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


def test_the_longest_cursor_is_taken() -> None:
    found = (NOON, [TurnPk(10**12 + number) for number in range(MOST_FOUND)])
    cursor = TURNS_FOUND.write(found, BY)
    assert cursor
    assert len(cursor) < LONGEST_CURSOR


@pytest.mark.parametrize(
    "filters", [("other", "u1", None), ("default", "u2", None), ("default", "u1", "a"), ("default",)]
)
def test_a_cursor_of_another_request_is_refused(filters: tuple[str | None, ...]) -> None:
    with pytest.raises(BadCursor, match="another user or with other filters"):
        SESSIONS.read(made(), filters)


@pytest.mark.parametrize("other", [USERS, TURNS])
def test_a_cursor_of_another_listing_is_refused(other: Cursors[Any]) -> None:
    with pytest.raises(BadCursor, match="another listing"):
        other.read(made(), BY)


def test_a_cursor_of_another_version_is_refused() -> None:
    with pytest.raises(BadCursor, match="another version"):
        SESSIONS.read(edited(made(), v=2), BY)


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "s1",
        "garbage!",
        "é",
        "\ud800",
        "AAAA",
        made()[:-3],
        made() + "=",
        made() + "AA",
        f" {made()}",
        urlsafe_b64encode(b"null").decode(),
        urlsafe_b64encode(b"[" * 3_000).decode().rstrip("="),
        edited(made(), at=None),
        edited(made(), more=1),
        edited(made(), v="1"),
        edited(made(), at=[]),
        edited(made(), at=["2023-05-08T12:00:00Z"]),
        edited(made(), at=["2023-05-08T12:00:00", 7]),
        edited(made(), at=["0001-01-01T00:00:00+14:00", 7]),
        edited(made(), at=["yesterday", 7]),
        edited(made(), at=[1683547200, 7]),
        edited(made(), at=["2023-05-08T12:00:00Z", -1]),
        edited(made(), at=["2023-05-08T12:00:00Z", 2**63]),
        edited(made(), at=["2023-05-08T12:00:00Z", 7.5]),
        edited(made(), at=["2023-05-08T12:00:00Z", "7"]),
        edited(made(), at=["2023-05-08T12:00:00Z", True]),
        edited(made(), at={"0": 7}),
    ],
)
def test_garbage_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor, match="is no cursor of this server"):
        SESSIONS.read(cursor, BY)


@pytest.mark.parametrize("name", ["", "a\x00b", "\ud800", "x" * 129, 5, ["a"]])
def test_a_name_that_no_user_has_is_refused(name: Any) -> None:
    cursor = USERS.write("u1", BY)
    assert cursor
    with pytest.raises(BadCursor):
        USERS.read(edited(cursor, at=name), BY)


def test_more_shown_turns_than_a_search_shows_are_refused() -> None:
    cursor = TURNS_FOUND.write((NOON, [TurnPk(1)] * (MOST_FOUND + 1)), BY)
    with pytest.raises(BadCursor):
        TURNS_FOUND.read(cursor, BY)


@given(some.text(max_size=200) | some.binary(max_size=200).map(lambda read: urlsafe_b64encode(read).decode()))
def test_nothing_but_a_cursor_is_read(text: str) -> None:
    with pytest.raises(BadCursor):
        SESSIONS.read(text, BY)


@given(
    some.recursive(
        some.none() | some.booleans() | some.integers() | some.floats() | some.text(max_size=5),
        lambda inner: some.lists(inner, max_size=3) | some.dictionaries(some.text(max_size=3), inner, max_size=3),
        max_leaves=6,
    )
)
def test_whatever_stands_in_a_cursor_is_a_place_or_is_refused(at: Any) -> None:
    listings: list[tuple[str, Cursors[Any]]] = [("users", USERS), ("sessions", SESSIONS), ("memories", TURNS_FOUND)]
    for name, listing in listings:
        try:
            listing.read(edited(made(), of=name, at=at), BY)
        except BadCursor as fault:
            assert fault.why
