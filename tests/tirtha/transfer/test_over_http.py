"""Export and import over HTTP: whose data, what is refused, and what is reported of each line."""

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.support.exports import body_of, export_of, lines_of, sent, turn_line
from tirtha.settings import Settings

ASKED = {"question": "What is my cat called?", "asked_at": "2023-06-01T00:00:00Z"}


async def remember(client: httpx.AsyncClient, user: str, **more: Any) -> None:
    turns = [
        {"id": "t1", "role": "user", "text": "My cat is called Miso.", "said_at": "2023-05-08T13:56:00+02:00"},
        {"id": "t2", "role": "assistant", "speaker": "Aide", "text": "A fine name.", "said_at": "2023-05-08T12:00:00Z"},
    ]
    body = {"user_id": user, "session_id": "s1", "turns": turns} | more
    assert (await client.post("/v1/remember", json=body)).status_code == 201


async def ask(client: httpx.AsyncClient, user: str, **more: Any) -> httpx.Response:
    answer = await client.post("/v1/ask", json=ASKED | {"user_id": user} | more)
    assert answer.status_code == 200, answer.text
    return answer


async def export(client: httpx.AsyncClient, **query: str) -> bytes:
    response = await client.get("/v1/export", params=query)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "application/x-ndjson"
    return response.content


async def test_an_export_says_what_it_is_and_ends_with_its_checksum(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    whole = await export(client, user_id="u1")
    header, *_, trailer = map(json.loads, whole.split(b"\n")[:-1])
    assert (header["format"], header["version"], header["holds"], header["user_id"]) == (
        "tirtha-export",
        1,
        "user",
        "u1",
    )
    assert trailer["counts"] == {"turn": 2, "decision": 0, "answer": 0}
    assert lines_of(whole, "turn")[0] == {
        "kind": "turn",
        "user_id": "u1",
        "agent_id": None,
        "session_id": "s1",
        "id": "t1",
        "position": 0,
        "role": "user",
        "speaker": None,
        "text": "My cat is called Miso.",
        "said_at": "2023-05-08T13:56:00.000000+02:00",
        "remembered_at": lines_of(whole, "turn")[0]["remembered_at"],
    }
    assert body_of(await export(client, user_id="u1")) == body_of(whole)


async def test_whose_data_an_export_holds(client: httpx.AsyncClient) -> None:
    for user, agent in (("u1", None), ("u1", "a1"), ("u2", None)):
        await remember(client, user, **({"agent_id": agent} if agent else {}))
    await ask(client, "asked-only")
    await client.post(
        "/v1/ask", json={"task": "code", "question": "Write f.", "entry_point": "f", "tests": "assert f(1)"}
    )

    async def owners(**query: str) -> list[tuple[str, str | None]]:
        whole = await export(client, **query)
        seen = [(line["user_id"], line["agent_id"]) for line in lines_of(whole, "turn") + lines_of(whole, "decision")]
        return list(dict.fromkeys(seen))

    assert await owners(user_id="u1") == [("u1", None), ("u1", "a1")]
    assert await owners(user_id="u1", agent_id="a1") == [("u1", "a1")]
    assert await owners(user_id="asked-only") == [("asked-only", None)]
    assert await owners(user_id="nobody") == []
    assert {user for user, _ in await owners()} == {"u1", "u2", "asked-only", None}, "and the program of nobody"
    assert (await client.get("/v1/export", params={"agent_id": "a1"})).status_code == 422
    assert (await client.get("/v1/export", params={"user": "u1"})).status_code == 422


async def test_nothing_of_a_forgotten_user_is_exported(client: httpx.AsyncClient) -> None:
    for user in ("gone", "stays"):
        await remember(client, user)
        await ask(client, user)
    whole = await export(client)
    assert {line["user_id"] for line in lines_of(whole, "answer")} == {"gone", "stays"}
    assert (await client.delete("/v1/users/gone")).status_code == 200
    assert b"gone" not in await export(client)
    emptied = await export(client, user_id="gone")
    assert json.loads(emptied.split(b"\n")[1])["counts"] == {"turn": 0, "decision": 0, "answer": 0}
    assert body_of(await export(client, user_id="stays")) != body_of(emptied)


async def test_a_memory_comes_back_with_its_answers(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    first = (await ask(client, "u1", session_id="s1")).json()
    whole = await export(client, user_id="u1")
    assert (await client.delete("/v1/users/u1")).status_code == 200
    assert (await client.get(f"/v1/decisions/{first['decision_id']}")).status_code == 404
    rehearsed = await sent(client, whole, dry_run="true")
    assert (rehearsed.json()["stored"], rehearsed.json()["dry_run"]) == (4, True)
    assert body_of(await export(client, user_id="u1")) != body_of(whole), "nothing was stored"
    answer = await sent(client, whole)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {
        "received": 4,
        "stored": 4,
        "duplicates": 0,
        "rejected_lines": 0,
        "rejected": [],
        "skipped_lines": 0,
        "skipped": [],
        "turns": {"stored": 2, "duplicates": 0},
        "decisions": {"stored": 1, "duplicates": 0},
        "answers": {"stored": 1, "duplicates": 0},
        "dry_run": False,
    }
    assert body_of(await export(client, user_id="u1")) == body_of(whole)
    again = await ask(client, "u1", session_id="s1")
    assert again.headers["x-tirtha-cache"] == "hit"
    assert again.json()["answer"] == first["answer"]
    assert (await client.get(f"/v1/decisions/{first['decision_id']}")).json()["answer"] == first["answer"]
    repeated = (await sent(client, whole)).json()
    assert (repeated["stored"], repeated["duplicates"], repeated["rejected_lines"]) == (0, 4, 0)
    assert (await client.delete("/v1/sessions/s1", params={"user_id": "u1"})).json()["decisions"] == 2
    assert b"Miso" not in await export(client)


async def test_a_users_memory_becomes_another_users(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    await remember(client, "u1", agent_id="a1")
    await ask(client, "u1")
    whole = await export(client, user_id="u1")
    assert (await sent(client, whole, user_id="u/2")).json()["stored"] == 6
    copy = await export(client, user_id="u/2")
    assert [line | {"user_id": "u1"} for line in lines_of(copy, "turn")] == lines_of(whole, "turn")
    assert (await ask(client, "u/2")).headers["x-tirtha-cache"] == "hit"
    assert lines_of(copy, "decision")[0]["record"]["id"] != lines_of(whole, "decision")[0]["record"]["id"]
    assert (await sent(client, whole, user_id="u/2")).json()["duplicates"] == 6


async def test_a_tenant_comes_over_whole(client: httpx.AsyncClient) -> None:
    for user in ("b", "a", ".", "a/b"):
        await remember(client, user)
        await ask(client, user)
    whole = await export(client)
    renamed = await sent(client, whole, user_id="one")
    assert renamed.status_code == 422
    assert renamed.json()["errors"][0]["at"] == "user_id"
    for user in ("b", "a", ".", "a/b"):
        assert (await client.post("/v1/forget", json={"user_id": user})).status_code == 200
    assert (await sent(client, whole)).json()["stored"] == len(whole.split(b"\n")) - 3
    assert body_of(await export(client)) == body_of(whole)


async def test_an_answer_is_not_taken_over_into_a_memory_that_holds_more(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    await ask(client, "u1")
    whole = await export(client, user_id="u1")
    body = {"user_id": "u2", "turns": [{"role": "user", "text": "My cat is not called Miso any more, but Kiwi."}]}
    await client.post("/v1/remember", json=body)
    answer = (await sent(client, whole, user_id="u2")).json()
    assert (answer["turns"]["stored"], answer["decisions"]["stored"], answer["answers"]["stored"]) == (2, 1, 0)
    assert answer["skipped"] == [
        {
            "line": 5,
            "at": "line",
            "why": "is an answer from the archive's memory, and here the memory holds other turns",
        }
    ]
    assert (await ask(client, "u2")).headers["x-tirtha-cache"] == "miss"


async def test_conflicts_and_bad_lines_are_named_and_the_others_stored(client: httpx.AsyncClient) -> None:
    await client.post(
        "/v1/remember",
        json={"user_id": "u1", "session_id": "s1", "turns": [{"id": "t1", "role": "user", "text": "mine"}]},
    )
    lines: list[dict[str, Any] | bytes] = [
        turn_line(0),
        turn_line(1),
        turn_line(2, user_id="u2"),
        turn_line(3, text="x" * 100_001),
        turn_line(4, said_at="yesterday"),
        turn_line(5, mood="fine"),
        turn_line(6, kind="thought"),
        b"not json",
        b'"text"',
        turn_line(9, text="half \ud800"),
        turn_line(10, text="nul \x00"),
        turn_line(11, position=-1),
        turn_line(12),
    ]
    answer = (await sent(client, export_of(lines))).json()
    assert (answer["received"], answer["stored"], answer["rejected_lines"]) == (13, 2, 11)
    assert [(one["line"], one["at"]) for one in answer["rejected"]] == [
        (3, "id"),
        (4, "user_id"),
        (5, "text"),
        (6, "said_at"),
        (7, "mood"),
        (8, "line"),
        (9, "line"),
        (10, "line"),
        (11, "text"),
        (12, "text"),
        (13, "position"),
    ]
    held = (await client.get("/v1/memories", params={"user_id": "u1"})).json()["turns"]
    assert {turn["id"]: turn["text"] for turn in held}["t1"] == "mine"


NOT_WHOLE: dict[str, Callable[[bytes], bytes]] = {
    "changed": lambda whole: whole.replace(b"turn 1.", b"turn 7."),
    "a line lost": lambda whole: b"\n".join(whole.split(b"\n")[:1] + whole.split(b"\n")[2:]),
    "no trailer": lambda whole: b"\n".join(whole.split(b"\n")[:-2]),
    "cut in the trailer": lambda whole: whole[:-20],
    "cut in a line": lambda whole: whole[: len(whole) // 2],
    "something after the trailer": lambda whole: whole + whole.split(b"\n")[1],
    "only a header": lambda whole: whole.split(b"\n")[0],
}


@pytest.mark.parametrize("harm", NOT_WHOLE)
async def test_an_export_that_is_not_whole_is_an_error_and_what_was_stored_stays(
    client: httpx.AsyncClient, harm: str
) -> None:
    whole = export_of(turn_line(number) for number in range(300))
    answer = await sent(client, NOT_WHOLE[harm](whole))
    assert answer.status_code == 422, answer.text
    problem = answer.json()
    assert "the export is not whole" in problem["detail"]
    assert problem["errors"][0]["at"].startswith("line ")
    [summary] = (await client.get("/v1/sessions", params={"user_id": "u1"})).json()["sessions"] or [{"turns": 0}]
    assert f"{summary['turns']:,} turns" in problem["detail"]
    mended = (await sent(client, whole)).json()
    assert mended["stored"] + mended["duplicates"] + mended["rejected_lines"] == 300
    assert mended["duplicates"] + mended["rejected_lines"] == summary["turns"]


@pytest.mark.parametrize(
    ("header", "at", "why"),
    [
        ({"version": 2, "tirtha": "9.9"}, "version", "written by Tirtha 9.9"),
        ({"format": "other"}, "line 1", "its first line is no header of one"),
        ({"holds": "tenant"}, "line 1", "must name a user if it holds a user"),
        ({"exported_at": None}, "line 1", "its header is not valid: exported_at"),
        ({"colour": "red"}, "line 1", "its header is not valid: colour"),
    ],
)
async def test_what_is_no_export_that_we_read_is_refused_before_anything_is_stored(
    client: httpx.AsyncClient, header: dict[str, Any], at: str, why: str
) -> None:
    answer = await sent(client, export_of([turn_line(0)], **header))
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["at"] == at
    assert why in answer.json()["detail"]
    assert (await client.get("/v1/users")).json()["users"] == []


@pytest.mark.parametrize("content", [b"", b"\n\n", b"{}", b"[1]", b"\xff\xfe{\x00", b"PK\x03\x04"])
async def test_other_files_are_no_exports(client: httpx.AsyncClient, content: bytes) -> None:
    answer = await sent(client, content)
    assert answer.status_code == 422
    assert "no export of Tirtha" in answer.json()["detail"]


async def test_the_media_type_and_the_query_are_checked(client: httpx.AsyncClient) -> None:
    whole = export_of([turn_line(0)])
    assert (await client.post("/v1/import", content=whole, headers={"content-type": "text/plain"})).status_code == 415
    assert (await sent(client, whole, dryrun="true")).status_code == 422
    assert (await sent(client, whole, user_id="")).status_code == 422


async def test_marks_and_windows_line_ends_are_accepted(client: httpx.AsyncClient) -> None:
    whole = export_of(turn_line(number) for number in range(3))
    changed = b"\xef\xbb\xbf" + whole.replace(b"\n", b"\r\n") + b"\r\n\r\n"
    assert (await sent(client, changed)).json()["stored"] == 3


async def test_a_line_that_is_too_long_is_left_out(client: httpx.AsyncClient, settings: Settings) -> None:
    long = turn_line(0, text="x" * settings.max_body_bytes)
    answer = (await sent(client, export_of([long, turn_line(1)]))).json()
    assert "the export is not whole" in answer["detail"], "of such a line not all is kept, nor summed"
    assert "1 turns" in answer["detail"]


async def test_decisions_are_listed_page_by_page(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    for n in range(5):
        await ask(client, "u1", question=f"What is my cat called, number {n}?")
    await ask(client, "u2")
    first = (await client.get("/v1/decisions", params={"user_id": "u1", "limit": 3})).json()
    assert [one["question"][-2] for one in first["decisions"]] == ["4", "3", "2"]
    await ask(client, "u1", question="And is it called so still?")
    rest = (await client.get("/v1/decisions", params={"user_id": "u1", "cursor": first["next"]})).json()
    assert [one["question"][-2] for one in rest["decisions"]] == ["1", "0"]
    assert rest["next"] is None
    head = rest["decisions"][0]
    whole = (await client.get(f"/v1/decisions/{head['decision_id']}")).json()
    assert {name: whole[name] for name in head.keys() & whole.keys()} == {
        name: head[name] for name in head.keys() & whole.keys()
    }
    assert (head["user_id"], head["agent_id"]) == ("u1", None)
    abstained = (await client.get("/v1/decisions", params={"path": "abstain"})).json()["decisions"]
    assert "u2" in {one["user_id"] for one in abstained}
    assert all(one["abstained"] for one in abstained)
    for wrong in (
        {"user_id": "u2", "cursor": first["next"]},
        {"user_id": "u1", "path": "abstain", "cursor": first["next"]},
        {"path": "guess"},
        {"agent_id": "a"},
        {"since": "yesterday"},
    ):
        assert (await client.get("/v1/decisions", params=wrong)).status_code == 422
    since = {"since": whole["decided_at"], "user_id": "u1"}
    listed = (await client.get("/v1/decisions", params=since)).json()["decisions"]
    assert head["decision_id"] in {one["decision_id"] for one in listed}
    until = {"until": whole["decided_at"], "user_id": "u1"}
    listed = (await client.get("/v1/decisions", params=until)).json()["decisions"]
    assert head["decision_id"] not in {one["decision_id"] for one in listed}
