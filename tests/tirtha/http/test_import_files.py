"""POST /v1/import with a format: files of other products, over HTTP."""

import json
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, get_args
from uuid import uuid4
from zipfile import ZIP_DEFLATED, ZipFile

import anyio
import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from memory.encoding.encoder import Encoder
from tests.support.laws import tried_on
from tests.support.server import serving
from tests.tirtha.importers.archives import write_archive
from tests.tirtha.importers.reading import EXPORTS
from tirtha.http.app import create_app
from tirtha.http.schemas.queries import FileFormat
from tirtha.importers import IMPORTERS
from tirtha.settings import Settings
from tirtha.wiring.service import open_service

CHATGPT = (EXPORTS / "chatgpt.json").read_bytes()


async def imported(client: httpx.AsyncClient, content: bytes, **query: Any) -> dict[str, Any]:
    response = await client.post("/v1/import", params={"format": "auto"} | query, content=content)
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json()
    return answer


async def refused(client: httpx.AsyncClient, content: bytes, **query: Any) -> tuple[int, str, str]:
    response = await client.post("/v1/import", params={"format": "auto"} | query, content=content)
    assert response.headers["content-type"] == "application/problem+json", response.text
    problem = response.json()
    return response.status_code, problem["errors"][0]["at"], problem["detail"]


async def turns(client: httpx.AsyncClient, user: str) -> list[dict[str, Any]]:
    response = await client.get("/v1/memories", params={"user_id": user, "limit": 1_000})
    listed: list[dict[str, Any]] = response.json()["turns"]
    return listed


def test_the_formats_of_the_contract_are_those_of_the_importers() -> None:
    assert set(get_args(FileFormat)) == {"auto", *(one.name for one in IMPORTERS)}


async def test_a_file_is_imported_and_found(client: httpx.AsyncClient) -> None:
    summary = await imported(client, CHATGPT, user_id="ines")
    assert (summary["format"], summary["user_id"], summary["dry_run"]) == ("chatgpt", "ines", False)
    assert (summary["conversations"], summary["turns"], summary["stored"], summary["duplicates"]) == (3, 5, 5, 0)
    assert summary["titles"] == ["Trip to Lisbon", "No end named"]
    assert summary["first_said_at"].startswith("2024-06-01T09:00:10.25")
    assert summary["left_out"]["in another branch: edited or regenerated"] == 3
    assert summary["rejected_count"] == len(summary["rejected"]) == 4
    asked = {"user_id": "ines", "question": "When do I fly to Lisbon?", "budget": 165}
    context = (await client.post("/v1/context", json=asked)).json()
    assert (context["lines"][0]["session_id"], context["lines"][0]["turn_id"]) == ("chatgpt:c-1", "n3")
    assert "I fly to Lisbon on 4 July." in context["lines"][0]["quote"]


async def test_a_dry_run_says_the_same_and_stores_nothing(client: httpx.AsyncClient) -> None:
    dry = await imported(client, CHATGPT, user_id="dry", dry_run="true")
    assert await turns(client, "dry") == []
    assert (await client.get("/v1/users")).json()["users"] == []
    assert dry == await imported(client, CHATGPT, user_id="dry") | {"dry_run": True}


async def test_importing_again_stores_what_is_new_and_deletes_nothing(client: httpx.AsyncClient) -> None:
    chats = json.loads(CHATGPT)
    await imported(client, json.dumps(chats[:1]).encode(), user_id="again")
    before = await turns(client, "again")
    later = await imported(client, json.dumps(chats[1:]).encode(), user_id="again")
    assert later["duplicates"] == 0
    whole = await imported(client, CHATGPT, user_id="again")
    assert (whole["stored"], whole["duplicates"]) == (0, 5)
    after = await turns(client, "again")
    assert [one for one in after if one in before] == before
    assert len(after) == 5


@pytest.mark.parametrize("file", sorted(EXPORTS.iterdir()), ids=lambda file: file.name)
async def test_every_format_is_idempotent(client: httpx.AsyncClient, file: Path) -> None:
    query = {"user_id": "u", "time_zone": "Europe/Berlin", "tools": "true"}
    content = await anyio.Path(file).read_bytes()
    first = await imported(client, content, **query)
    assert first["stored"] == first["turns"] > 0
    second = await imported(client, content, **query)
    assert (second["stored"], second["duplicates"]) == (0, first["turns"])
    assert second["rejected"] == first["rejected"]
    assert len(await turns(client, "u")) == first["turns"]


async def test_what_memory_refuses_is_named_with_its_place(client: httpx.AsyncClient) -> None:
    chats = json.loads(CHATGPT)[:1]
    chats[0]["mapping"]["n9"]["message"]["content"]["parts"] = ["x" * 100_001]
    summary = await imported(client, json.dumps(chats).encode(), user_id="long")
    assert (summary["turns"], summary["stored"], summary["rejected_count"]) == (2, 1, 1)
    assert summary["rejected"][0]["at"] == "file, record 1, message n9"
    assert "100,001 characters" in summary["rejected"][0]["why"]
    chats[0]["mapping"]["n9"]["message"]["content"]["parts"] = ["short"]
    await imported(client, json.dumps(chats).encode(), user_id="long")
    chats[0]["mapping"]["n9"]["message"]["content"]["parts"] = ["altered"]
    summary = await imported(client, json.dumps(chats).encode(), user_id="long")
    assert summary["rejected"] == [
        {"at": "file, record 1, message n9", "why": "is the id of another turn of the session; a turn is never altered"}
    ]


async def test_half_a_character_in_a_name_is_no_crash(client: httpx.AsyncClient) -> None:
    chats = json.loads(CHATGPT)[:1]
    chats[0]["title"] = "half \ud83d"
    chats[0]["mapping"]["n\ud83d"] = chats[0]["mapping"].pop("n9")
    chats[0]["current_node"] = "n\ud83d"
    message = {"author": {"role": "user"}, "create_time": "soon", "content": {"content_type": "text", "parts": ["Hi."]}}
    chats[0]["mapping"]["n\ud83d"]["message"] = message
    summary = await imported(client, json.dumps(chats).encode(), user_id="half")
    assert summary["titles"] == ["half \ufffd"]
    assert summary["rejected"][0]["at"] == "file, record 1, message n\ufffd"
    memories = [{"id": "1", "memory": "m", "user_id": user, "created_at": 0} for user in ("a\ud83d", "b")]
    status, at, _ = await refused(client, json.dumps(memories).encode())
    assert (status, at) == (422, "user_id")


async def test_questions_are_asked_and_nothing_is_stored(client: httpx.AsyncClient, tmp_path: Path) -> None:
    status, at, detail = await refused(client, CHATGPT)
    assert (status, at) == (422, "user_id")
    assert detail == "The file does not say whose it is. In whose memory does it go?"
    locomo = (EXPORTS / "locomo.json").read_bytes()
    status, at, detail = await refused(client, locomo, user_id="u")
    assert (status, at) == (422, "time_zone")
    assert "such as 2023-05-08 13:56:00" in detail
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        for name in ("codex.jsonl", "claude-code.jsonl"):
            archive.write(EXPORTS / name, name)
    status, at, detail = await refused(client, (tmp_path / "a.zip").read_bytes(), user_id="u")
    assert (status, at) == (422, "format")
    assert (await client.get("/v1/users")).json()["users"] == []
    assert (await imported(client, locomo, user_id="u", time_zone="+02:00"))["stored"] == 3
    assert (await turns(client, "u"))[0]["said_at"] == "2023-05-08T13:56:00+02:00"


async def test_several_users_of_a_file_never_become_one(client: httpx.AsyncClient) -> None:
    memories = [
        {
            "id": f"{user}-{n}",
            "memory": f"{user} likes number {n}",
            "user_id": user,
            "created_at": "2025-01-01T00:00:00Z",
        }
        for n in range(2)
        for user in ("anna", "ben")
    ]
    both = json.dumps(memories).encode()
    for query in ({}, {"user_id": "carl"}):
        status, at, detail = await refused(client, both, **query)
        assert (status, at) == (422, "user_id")
        assert "several users: anna, ben" in detail
    summary = await imported(client, both, user_id="ben")
    assert (summary["user_id"], summary["stored"], summary["left_out"]) == ("ben", 2, {"of another user": 2})
    assert {one["text"] for one in await turns(client, "ben")} == {"ben likes number 0", "ben likes number 1"}
    alone = json.dumps([one for one in memories if one["user_id"] == "anna"]).encode()
    assert (await imported(client, alone))["user_id"] == "anna"
    assert (await imported(client, alone, user_id="annabel"))["stored"] == 2


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"format": "word"}, "format"),
        ({"time_zone": "Mars/Olympus"}, "time_zone"),
        ({"time_zone": "Europe"}, "time_zone"),
        ({"time_zone": "../etc/passwd"}, "time_zone"),
        ({"tools": "perhaps"}, "tools"),
        ({"user_id": ""}, "user_id"),
        ({"zone": "UTC"}, "zone"),
    ],
)
async def test_a_query_that_is_wrong_is_refused(client: httpx.AsyncClient, query: dict[str, str], at: str) -> None:
    assert (await refused(client, CHATGPT, **query))[:2] == (422, at)


async def test_what_is_about_files_needs_a_format(client: httpx.AsyncClient) -> None:
    response = await client.post("/v1/import", params={"tools": "true"}, content=CHATGPT)
    assert response.status_code == 422
    assert "tools needs format" in response.json()["detail"]


async def test_an_agents_memory_is_its_own(client: httpx.AsyncClient) -> None:
    await imported(client, CHATGPT, user_id="u", agent_id="coach")
    assert await turns(client, "u") == []
    listed = (await client.get("/v1/memories", params={"user_id": "u", "agent_id": "coach"})).json()["turns"]
    assert len(listed) == 5


async def test_an_export_of_tirtha_is_recognised(client: httpx.AsyncClient) -> None:
    await imported(client, CHATGPT, user_id="ines")
    export = (await client.get("/v1/export", params={"user_id": "ines"})).content
    summary = await imported(client, export, user_id="other")
    assert summary["turns"] == {"stored": 5, "duplicates": 0}
    assert {one["text"] for one in await turns(client, "other")} == {one["text"] for one in await turns(client, "ines")}


@pytest.fixture
async def small(tmp_path: Path, encoder: Encoder) -> AsyncIterator[httpx.AsyncClient]:
    """A service that takes files of 20,000 bytes."""
    settings = Settings(home=tmp_path / "small", max_import_bytes=20_000, max_body_bytes=1_024)
    async with open_service(settings, encoder=encoder) as service:
        transport = httpx.ASGITransport(create_app(service, settings))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
            yield opened


async def test_a_file_has_a_limit_of_its_own(small: httpx.AsyncClient, tmp_path: Path) -> None:
    assert 1_024 < len(CHATGPT) < 20_000
    assert (await imported(small, CHATGPT, user_id="u"))["stored"] == 5
    large = b" " * 20_000 + CHATGPT
    status, at, detail = await refused(small, large, user_id="u")
    assert (status, at) == (413, "body")
    assert f"the file has {len(large):,} bytes; at most 20,000 are allowed" in detail

    async def chunks() -> AsyncIterator[bytes]:
        for start in range(0, len(large), 1_000):
            yield large[start : start + 1_000]

    response = await small.post("/v1/import", params={"format": "auto", "user_id": "u"}, content=chunks())
    assert response.status_code == 413
    bomb = tmp_path / "bomb.zip"
    with ZipFile(bomb, "w", ZIP_DEFLATED) as archive:
        archive.writestr("conversations.json", b"[" + b" " * 81_000 + b"]")
    status, at, detail = await refused(small, bomb.read_bytes(), user_id="u")
    assert (status, at) == (422, "body")
    assert "unpacks to more than 80,000 bytes" in detail


async def test_nothing_is_left_in_the_data_folder(
    client: httpx.AsyncClient, settings: Settings, tmp_path: Path
) -> None:
    def kept() -> set[str]:
        return {name for name in os.listdir(settings.home) if not name.startswith(("memory", "tirtha"))}

    before = kept()
    archive = write_archive(tmp_path / "a.zip", 3)
    await imported(client, archive.read_bytes(), user_id="u")
    await refused(client, archive.read_bytes()[:-30], user_id="u")
    assert kept() == before


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[str]:
    with serving(tmp_path_factory.mktemp("files") / "home", encoder) as address:
        yield address


@tried_on(25)
@given(data=st.data(), name=st.sampled_from([file.name for file in sorted(EXPORTS.iterdir())]))
def test_what_is_refused_leaves_nothing_and_nothing_crashes(url: str, data: st.DataObject, name: str) -> None:
    content = bytearray((EXPORTS / name).read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content) - 1))
        content[start : start + data.draw(st.integers(0, 20))] = data.draw(st.binary(max_size=6))
    user = uuid4().hex
    query = {"format": "auto", "user_id": user, "time_zone": "UTC"}
    response = httpx.post(f"{url}/v1/import", params=query, content=bytes(content), timeout=60)
    assert response.status_code in {200, 422}, response.text
    held = httpx.get(f"{url}/v1/memories", params={"user_id": user, "limit": 1_000}, timeout=60).json()["turns"]
    assert len(held) == (response.json()["stored"] if response.status_code == 200 else 0)
