"""Ids in paths, whatever characters they hold, and the methods of a path."""

from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
import pytest
from starlette.routing import BaseRoute, compile_path

from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tirtha.http.app import create_app
from tirtha.http.routing import IdConvertor
from tirtha.service import Service
from tirtha.settings import Settings

NEWS = "My cat is called Miso."
IDS = [
    "plain",
    "a/b",
    "a//b",
    "https://id.example/u/7",
    "/",
    "//",
    "end/",
    "/start",
    ".",
    "..",
    "../..",
    "a/../b",
    "...",
    "%",
    "%2F",
    "a%2fb",
    "%252F",
    "?",
    "a?b=c&d",
    "#",
    "a#b",
    " a b ",
    "a+b",
    "a;b=c,d",
    "a\\b",
    "{turn_id}",
    "Zoë/日本語/😀",
    "e\u0301",
    "\ufffd",
    "'\"<&>",
]

ALLOWED = {
    "/healthz": "GET, HEAD, OPTIONS",
    "/openapi.json": "GET, HEAD, OPTIONS",
    "/v1/ask": "OPTIONS, POST",
    "/v1/remember": "OPTIONS, POST",
    "/v1/forget": "OPTIONS, POST",
    "/v1/sessions": "GET, HEAD, OPTIONS",
    "/v1/sessions/a%2Fb": "DELETE, OPTIONS",
    "/v1/memories": "GET, HEAD, OPTIONS",
    "/v1/memories/a%2Fb": "DELETE, GET, HEAD, OPTIONS",
    "/v1/responses/compact": "OPTIONS, POST",
    "/v1/responses/resp_1": "DELETE, GET, HEAD, OPTIONS",
}


def segment(name: str) -> str:
    """Encode an id so that no client folds it: dots, too."""
    return quote(name, safe="").replace(".", "%2E")


SAME_REQUEST = {"x-request-id": "same"}


async def remember(client: httpx.AsyncClient, name: str, **fields: Any) -> None:
    body = {"user_id": name, "session_id": name, "turns": [{"id": name, "role": "user", "text": NEWS}]} | fields
    assert (await client.post("/v1/remember", json=body)).status_code == 201


async def recalled(client: httpx.AsyncClient, user_id: str) -> list[str]:
    found = await client.post("/v1/recall", json={"user_id": user_id, "question": "What is the cat called?"})
    return [one["text"] for one in found.json()["evidence"]]


def ways(name: str) -> list[tuple[str, str, dict[str, str]]]:
    """Every request that forgets the turn `name` of the session `name` of the user `name`."""
    user = {"user_id": name}
    return [
        ("DELETE", f"/v1/memories/{segment(name)}", user | {"session_id": name}),
        ("DELETE", f"/v1/sessions/{segment(name)}", user),
        ("DELETE", f"/v1/users/{segment(name)}", {}),
        ("POST", "/v1/forget", user | {"session_id": name, "turn_id": name}),
        ("POST", "/v1/forget", user | {"session_id": name}),
        ("POST", "/v1/forget", user),
    ]


@pytest.mark.slow
@pytest.mark.parametrize("every", [False, pytest.param(True, marks=pytest.mark.long)], ids=["two ways", "every way"])
async def test_what_is_remembered_under_any_id_is_read_and_forgotten(client: httpx.AsyncClient, every: bool) -> None:
    """Every id by two ways, one of them with the id in the path, so that each way is gone with many ids; or by every way."""
    for name in IDS:
        await remember(client, name, session_id="kept", turns=[{"id": "kept", "role": "user", "text": f"I am {name}."}])
    for place, name in enumerate(IDS):
        turn = f"/v1/memories/{segment(name)}"
        in_path, in_body = ways(name)[:3], ways(name)[3:]
        two = [in_path[place % 3], in_body[place // 3 % 3]]
        for method, path, names in ways(name) if every else two:
            await remember(client, name)
            read = (await client.get(turn, params={"user_id": name})).json()
            assert (read["id"], read["session_id"], read["text"]) == (name, name, NEWS)
            sent: dict[str, Any] = {"json": names} if method == "POST" else {"params": names}
            forgot = await client.request(method, path, **sent)
            whole = "session_id" not in names and "sessions" not in path and "memories" not in path
            assert (forgot.status_code, forgot.json()["turns"]) == (200, 2 if whole else 1), (path, forgot.text)
            assert NEWS not in await recalled(client, name)
            assert (await client.get(turn, params={"user_id": name})).status_code == 404
            if whole:
                assert (await client.request(method, path, **sent)).status_code == 404
                await remember(
                    client, name, session_id="kept", turns=[{"id": "kept", "role": "user", "text": f"I am {name}."}]
                )
    assert (await client.get("/readyz")).json()["turns"] == len(IDS), "nobody else's was touched"


def test_a_real_server_reads_paths_as_they_were_sent(tmp_path: Path, encoder: Encoder) -> None:
    with serving(tmp_path / "home", encoder) as url:
        connection = HTTPConnection(urlsplit(url).netloc)
        for name in IDS:
            body = {"user_id": name, "session_id": name, "turns": [{"id": name, "role": "user", "text": NEWS}]}
            assert httpx.post(f"{url}/v1/remember", json=body).status_code == 201
            path = f"/v1/memories/{segment(name)}?{urlencode({'user_id': name, 'session_id': name})}"
            for method, status in (("HEAD", 200), ("GET", 200), ("DELETE", 200), ("GET", 404), ("HEAD", 404)):
                connection.request(method, path)
                response = connection.getresponse()
                sent = response.read()
                assert response.status == status, (method, name, sent)
                assert bool(sent) is (method != "HEAD")
        connection.close()


async def test_another_path_is_another_id(client: httpx.AsyncClient) -> None:
    await remember(client, "u1", session_id="a")
    for path in ("/v1/sessions/a/", "/v1/sessions/a%2F", "/v1/sessions//a", "/v1/sessions/a/b", "/v1/sessions/A"):
        assert (await client.delete(path, params={"user_id": "u1"})).status_code == 404, path
    assert await recalled(client, "u1") == [NEWS]


async def test_what_no_id_can_hold_is_refused(client: httpx.AsyncClient) -> None:
    for name in ("\ufffd", "a"):
        await remember(client, "u1", turns=[{"id": name, "role": "user", "text": NEWS}], session_id="s1")
    for encoded in ("%FF", "%ED%B0%AF", "%C0%AF", "%00", "%0A", "x" * 257):
        path, query = f"/v1/memories/{encoded}", {"user_id": "u1", "session_id": "s1"}
        for method in ("GET", "DELETE"):
            response = await client.request(method, path, params=query)
            assert (response.status_code, response.json()["errors"][0]["at"]) == (422, "turn_id"), encoded
    assert (await client.get("/readyz")).json()["turns"] == 2


async def test_an_id_that_no_decision_has(client: httpx.AsyncClient) -> None:
    for name in IDS:
        response = await client.get(f"/v1/decisions/{segment(name)}")
        assert response.status_code == 404
        assert response.json()["detail"] != "Not Found", "the route was found, and the decision was not"


async def test_every_id_in_a_path_is_read_whole(service: Service, settings: Settings) -> None:
    app = create_app(service, settings)
    convertors = {route.path_format: compile_path(route.path)[2] for route in _leaves(app.routes)}
    with_ids = {path for path, named in convertors.items() if named}
    assert with_ids == {path for path in app.openapi()["paths"] if "{" in path}
    assert all(isinstance(one, IdConvertor) for named in convertors.values() for one in named.values())


def _leaves(routes: list[BaseRoute]) -> list[Any]:
    """The routes with a path of their own, out of routers within routers."""
    leaves: list[Any] = []
    for route in routes:
        inner = getattr(route, "original_router", None)
        leaves += _leaves(inner.routes) if inner is not None else [route]
    return leaves


async def test_head_answers_as_get_does(client: httpx.AsyncClient) -> None:
    await remember(client, "u1")
    asked = {"user_id": "u1", "question": "What is my cat called?"}
    decision = (await client.post("/v1/ask", json=asked)).json()["decision_id"]
    readable = [
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/v1/users",
        "/v1/sessions?user_id=u1",
        "/v1/memories?user_id=u1",
        "/v1/memories/u1?user_id=u1",
        "/v1/stats",
        "/v1/decisions",
        f"/v1/decisions/{decision}",
        "/v1/feedback",
        "/v1/export?user_id=u1",
        "/v1/keys",
        "/v1/tenants",
        "/v1/tenants/default",
        "/v1/audit",
        "/metrics",
    ]
    of_chats = {"/v1/models", "/v1/models/{model}", "/v1/responses/{response_id}"}  # there is no model here
    paths = (await client.get("/openapi.json")).json()["paths"]
    gets = {path for path, operations in paths.items() if "get" in operations}
    assert len(readable) == len(gets - of_chats) + 1, "every GET, and the schema"
    for path in [*readable, "/v1/sessions", "/v1/memories/none?user_id=u1", "/v1/ask", "/v1/nothing"]:
        got, head = [await client.request(method, path, headers=SAME_REQUEST) for method in ("GET", "HEAD")]
        if path == "/metrics":  # which has counted the first request when it answers the second
            got.headers["content-length"] = head.headers["content-length"]
        assert (head.status_code, head.headers, head.content) == (got.status_code, got.headers, b""), path
    assert {(await client.head(path)).status_code for path in readable} == {200}


async def test_the_methods_of_a_path(client: httpx.AsyncClient) -> None:
    for path, allowed in ALLOWED.items():
        options = await client.options(path)
        assert (options.status_code, options.headers["allow"], options.content) == (204, allowed, b"")
        for method in {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE", "BREW"} - set(allowed.split(", ")):
            refused = await client.request(method, path)
            assert (refused.status_code, refused.headers["allow"]) == (405, allowed), (method, path)
            kind = "application/json" if path.startswith("/v1/responses") else "application/problem+json"
            assert refused.headers["content-type"] == kind


async def test_no_path_has_no_methods(client: httpx.AsyncClient) -> None:
    for path in ("/v1/nothing", "/v1/users/", "/healthz/", "/v1/sessions/a/b"):
        assert (await client.options(path)).status_code == 404
