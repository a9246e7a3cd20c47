"""The flag of a turn in an export: written where there is one, and brought back; other lines keep their bytes."""

import json
from typing import Any

import httpx

from memory import Follow, NewTurn, Scope
from tests.support.exports import NDJSON, body_of, export_of, lines_of, turn_line
from tirtha.service import Service

SCOPE = Scope(tenant="default", user_id="u1")


async def export(client: httpx.AsyncClient) -> bytes:
    return (await client.get("/v1/export", params={"user_id": "u1"})).raise_for_status().content


async def taken(client: httpx.AsyncClient, export: bytes) -> dict[str, Any]:
    response = await client.post("/v1/import", params={"user_id": "u1"}, content=export, headers=NDJSON)
    read: dict[str, Any] = response.raise_for_status().json()
    return read


async def test_a_flag_goes_out_and_comes_back(client: httpx.AsyncClient, service: Service) -> None:
    said = [NewTurn(role="user", text="Where do I live?"), NewTurn(role="assistant", text="In Oslo.", flag="unchecked")]
    for turns in (said, [said[0]]):  # the answer is regenerated
        await service.memory.follow(Follow(scope=SCOPE, session_id="s1", turns=turns))
    again = [NewTurn(role="assistant", text="In Bergen.", flag="unchecked"), NewTurn(role="user", text="Thank you.")]
    await service.memory.follow(Follow(scope=SCOPE, session_id="s1", turns=again, whole=False))
    first = await export(client)
    flags = [line.get("flag", "none") for line in lines_of(first, "turn")]
    assert flags == ["none", "replaced", "unchecked", "none"]
    (await client.delete("/v1/users/u1")).raise_for_status()
    assert (await taken(client, first))["turns"]["stored"] == 4
    assert body_of(await export(client)) == body_of(first)
    shown = (await client.get("/v1/memories", params={"user_id": "u1"})).json()["turns"]
    assert [turn["flag"] for turn in shown] == [None, "replaced", "unchecked", None]
    found = (await client.post("/v1/recall", json={"user_id": "u1", "question": "Where do I live?"})).json()
    assert not {one["text"] for one in found["evidence"]} & {"In Oslo.", "In Bergen."}


async def test_what_has_no_flag_keeps_its_bytes(client: httpx.AsyncClient) -> None:
    exported = export_of([turn_line(0), turn_line(1)])
    await taken(client, exported)
    assert [line.keys() for line in lines_of(await export(client), "turn")] == [turn_line(0).keys()] * 2


async def test_a_flag_that_is_not_known_is_rejected(client: httpx.AsyncClient) -> None:
    report = await taken(client, export_of([turn_line(0, flag="odd"), turn_line(1, flag="replaced")]))
    assert (report["turns"]["stored"], report["rejected_lines"]) == (1, 1)
    assert report["rejected"][0]["at"] == "flag"
    assert json.loads((await export(client)).split(b"\n")[1])["flag"] == "replaced"
