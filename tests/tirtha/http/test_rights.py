"""Every route declares what it needs of its caller, and gets no one who lacks it."""

from collections.abc import Iterator

import httpx
import pytest
from fastapi import APIRouter
from fastapi.routing import APIRoute, iter_route_contexts

from tirtha.caller import Right
from tirtha.http.app import create_app
from tirtha.http.dependencies import Admin, Needed, Reader, declared
from tirtha.http.strict_route import StrictRoute
from tirtha.service import Service
from tirtha.settings import Settings

OPEN_PATHS = {"/healthz", "/readyz"}
ADMIN_PATHS = {"/v1/keys", "/v1/keys/{key_id}", "/v1/tenants", "/v1/tenants/{name}", "/v1/audit"}
WRITERS = {
    ("POST", "/v1/remember"),
    ("POST", "/remember"),
    ("POST", "/v1/forget"),
    ("POST", "/v1/import"),
    ("POST", "/v1/decisions/{decision_id}/feedback"),
    ("DELETE", "/v1/memories/{turn_id}"),
    ("DELETE", "/v1/sessions/{session_id}"),
    ("DELETE", "/v1/users/{user_id}"),
    ("DELETE", "/v1/responses/{response_id}"),
}
OF_CHATS = (
    "/v1/chat/",
    "/v1/responses",
    "/v1/messages",
    "/v1/models",
)  # in the shape of another API, for other people's clients


def routes(service: Service, settings: Settings) -> Iterator[tuple[str, str, Needed | None]]:
    """Every route of the application: its method, its path, and what it declares."""
    for context in iter_route_contexts(create_app(service, settings).routes):
        route = context.original_route
        assert isinstance(route, APIRoute), f"{route} is no route of ours, and so declares nothing"
        for method in route.methods or ():
            yield method, route.path_format, declared(route.dependant)


def expected(method: str, path: str) -> Needed:
    if path in OPEN_PATHS:
        return "open"
    if path in ADMIN_PATHS:
        return "admin"
    # Each of the tools behind /mcp needs a right of its own.
    if path in {"/openapi.json", "/mcp"} or path.startswith("/v1/models"):
        return "any"
    return "write" if (method, path) in WRITERS else "read"


async def test_every_route_declares_the_right_it_should(service: Service, settings: Settings) -> None:
    found = list(routes(service, settings))
    assert len(found) > 15
    for method, path, needed in found:
        assert needed == expected(method, path), f"{method} {path}"


def test_a_route_that_declares_nothing_cannot_be_made() -> None:
    router = APIRouter(route_class=StrictRoute)
    with pytest.raises(TypeError, match="must declare one right"):

        @router.get("/v1/forgotten")
        def forgotten() -> None: ...

    with pytest.raises(TypeError, match="must declare one right"):

        @router.get("/v1/undecided")
        def undecided(reader: Reader, admin: Admin) -> None: ...


async def keys_of_one_right(client: httpx.AsyncClient) -> dict[Right, dict[str, str]]:
    headers: dict[Right, dict[str, str]] = {}
    boss = (await client.post("/v1/keys", json={"name": "boss", "rights": ["admin"]})).json()["key"]
    headers["admin"] = {"authorization": f"Bearer {boss}"}
    for right in ("read", "write"):
        made = await client.post("/v1/keys", json={"name": right, "rights": [right]}, headers=headers["admin"])
        headers[right] = {"authorization": f"Bearer {made.json()['key']}"}
    return headers


async def test_every_route_refuses_who_lacks_its_right_before_anything_is_read(
    client: httpx.AsyncClient, service: Service, settings: Settings
) -> None:
    headers = await keys_of_one_right(client)
    for method, path, needed in routes(service, settings):
        if needed == "open":
            assert (await client.request(method, path)).status_code == 200
            continue
        url, chats = path.replace("{response_id}", "resp_1"), path.startswith(OF_CHATS)
        url = url.replace("{", "").replace("}", "")
        unknown = {"authorization": "Bearer trt_abcdefghij_" + "A" * 43}
        for shown in ({}, unknown):
            answer = await client.request(method, f"{url}?typo=1", content=b"{no json", headers=shown)
            assert answer.status_code == 401, (method, path)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.headers["content-type"] == ("application/json" if chats else "application/problem+json")
        for right, own in headers.items():
            answer = await client.request(method, f"{url}?typo=1", content=b"{no json", headers=own)
            if chats:  # their queries are read leniently, so that some of these requests are good ones
                assert (answer.status_code == 403) == (needed not in {right, "any"}), (method, path, right, answer.text)
                continue
            status = 422 if needed in {right, "any"} else 403
            assert answer.status_code == status, (method, path, right, answer.text)


async def test_what_is_not_there_needs_a_key_too(client: httpx.AsyncClient) -> None:
    headers = await keys_of_one_right(client)
    for method, path in (("GET", "/v1/none"), ("OPTIONS", "/v1/ask"), ("PUT", "/v1/ask"), ("GET", "/docs")):
        assert (await client.request(method, path)).status_code == 401, (method, path)
        assert (await client.request(method, path, headers=headers["read"])).status_code != 401, (method, path)
