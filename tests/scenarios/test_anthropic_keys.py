"""Anthropic's own client with keys: either header, the day of a key's user, and whose memory a key reads."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import anthropic
import httpx
import pytest

from memory.encoding.encoder import Encoder
from tests.support.anthropic_chats import (
    ASKED,
    CLAUDE_CODE,
    TOLD,
    House,
    block,
    house,
    last_message,
    say,
)
from tests.support.messages import messages


def keyed(home: House, name: str, **fields: Any) -> str:
    made = httpx.post(f"{home.url}/v1/keys", json={"name": name, **fields}, headers=admin(home))
    assert made.status_code == 201, made.text
    return str(made.json()["key"])


_ADMIN: dict[str, str] = {}


def admin(home: House) -> dict[str, str]:
    return {"x-api-key": _ADMIN[home.url]} if home.url in _ADMIN else {}


@pytest.fixture(scope="module")
def with_keys(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("keys"), encoder) as opened:
        _ADMIN[opened.url] = keyed(opened, "operator", rights=["read", "write", "admin"])
        yield opened


def test_a_key_comes_as_either_header(with_keys: House) -> None:
    with_keys.tier.script = messages("Hi.")
    bound, other = keyed(with_keys, "ann", user_id="ann"), keyed(with_keys, "bob", user_id="bob")
    body = {"model": "tirtha", "max_tokens": 9, "messages": [{"role": "user", "content": TOLD}]}

    def status(**headers: str) -> tuple[int, Sequence[str]]:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        answer = httpx.post(f"{with_keys.url}/v1/messages", json=body, headers=sent)
        return answer.status_code, answer.json().get("error", {}).get("type", "")

    assert status(x_api_key=bound) == (200, "")
    assert status(authorization=f"Bearer {bound}") == (200, "")
    assert status(authorization=f"bearer {bound}", x_api_key=bound) == (200, ""), "the same one twice"
    assert status(authorization=f"Bearer {bound}", x_api_key=other) == (401, "authentication_error")
    assert status(x_api_key=f"{bound}x") == (401, "authentication_error")
    assert status() == (401, "authentication_error")
    listed = httpx.get(f"{with_keys.url}/v1/memories?user_id=ann", headers={"x-api-key": bound})
    assert listed.status_code == 200, "on every path"
    with pytest.raises(anthropic.AuthenticationError):
        say(with_keys.client("trt_of_nobody"), "Hi")


def test_a_day_is_the_one_where_the_keys_user_is(with_keys: House) -> None:
    now = datetime.now(UTC)
    zone, there = ("+14:00", now + timedelta(hours=14)) if now.hour >= 11 else ("-12:00", now - timedelta(hours=12))
    assert there.date() != now.date()
    client = with_keys.client(keyed(with_keys, "ines", user_id="ines", time_zone=zone))
    with_keys.tier.script = messages("Nice to hear.")
    say(client, "Today I bought a red bicycle.")
    say(client, "What did I buy?")
    notes = last_message(with_keys.tier)
    assert f"{there.day} {there:%B} {there.year}" in notes
    utc = with_keys.client(keyed(with_keys, "jon", user_id="jon"))
    say(utc, "Today I bought a red bicycle.")
    say(utc, "What did I buy?")
    assert f"{there.day} {there:%B} {there.year}" not in last_message(with_keys.tier)


def test_nobody_shares_a_memory_by_accident(with_keys: House) -> None:
    bound, shared = keyed(with_keys, "gro", user_id="gro"), keyed(with_keys, "app")
    with_keys.tier.script = messages("Nice to hear.")
    say(with_keys.client(bound), TOLD)
    with_keys.tier.script = messages("Your sister lives in Bergen.")
    assert block(say(with_keys.client(bound), ASKED))["memory"] == "added"
    assert block(say(with_keys.client(bound), ASKED, user="gro"))["memory"] == "added"
    with pytest.raises(anthropic.PermissionDeniedError) as denied:
        say(with_keys.client(bound), ASKED, user="ann")
    assert denied.value.type == "permission_error"
    code = json.dumps({"device_id": "3f" * 32, "account_uuid": "", "session_id": "57a121ec-0001"})
    known = say(with_keys.client(bound, **CLAUDE_CODE), ASKED, user=code)
    assert block(known)["memory"] == "added", "an installation is not another user"
    assert block(say(with_keys.client(shared), ASKED))["memory"] == "none"
    assert "Bergen" not in last_message(with_keys.tier)
    assert block(say(with_keys.client(shared), ASKED, user="gro"))["memory"] == "added"
    by_header = with_keys.client(shared, **{"X-Tirtha-User": "gro"})
    assert block(say(by_header, ASKED, user="somebody"))["memory"] == "added", "a header of ours goes first"
