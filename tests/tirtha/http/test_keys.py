"""Keys over HTTP: made, listed, revoked; whose memory each opens; what is shown without one."""

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

import tirtha
from memory.encoding.encoder import Encoder
from tests.support.server import serving
from tirtha.http.app import create_app
from tirtha.keys.local_proof import local_proof
from tirtha.service import Service
from tirtha.settings import Settings

TURN = {"id": "1", "role": "user", "text": "My cat is called Miso."}
ASKED = {"user_id": "u1", "question": "What is the cat called?"}
OURS = {"user_id": "u1", "session_id": "s1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("keys") / "home"


@pytest.fixture(scope="module")
def url(folder: Path, encoder: Encoder) -> Iterator[str]:
    """A real server on which a key is made, whose administrator is this machine's."""
    with serving(folder, encoder) as address:
        made = httpx.post(f"{address}/v1/keys", json={"name": "first"}, timeout=60)
        assert made.status_code == 201, made.text
        yield address


@pytest.fixture
def operator(url: str, folder: Path) -> Iterator[httpx.Client]:
    """This machine's administrator."""
    headers = {"authorization": f"Tirtha-Local {local_proof(folder)}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60) as client:
        yield client


def key(operator: httpx.Client, **fields: Any) -> dict[str, Any]:
    made = operator.post("/v1/keys", json={"name": "test"} | fields)
    assert made.status_code == 201, made.text
    shown: dict[str, Any] = made.json()
    return shown


def shown_by(operator: httpx.Client, **fields: Any) -> httpx.Client:
    """A client that shows a key which is made for it."""
    headers = {"authorization": f"Bearer {key(operator, **fields)['key']}"}
    return httpx.Client(base_url=operator.base_url, headers=headers, timeout=60)


def test_the_contract_of_making_listing_and_revoking(operator: httpx.Client) -> None:
    fields = {
        "name": "phone",
        "tenant": "acme",
        "rights": ["write", "read"],
        "user_id": "u1",
        "expires_at": "2099-12-31",
        "time_zone": "Europe/Berlin",
    }
    made = key(operator, **fields)
    text = made.pop("key")
    assert text.startswith(f"trt_{made['id']}_")
    assert made == {
        "id": made["id"],
        "name": "phone",
        "tenant": "acme",
        "rights": ["read", "write"],
        "user_id": "u1",
        "trusted_proxy": False,
        "time_zone": "Europe/Berlin",
        "state": "valid",
        "created_at": made["created_at"],
        "expires_at": "2100-01-01T00:00:00Z",
        "revoked_at": None,
        "last_used_at": None,
    }
    listed = operator.get("/v1/keys", params={"tenant": "acme"})
    assert made in listed.json()["keys"]
    assert text.rsplit("_", 1)[-1] not in listed.text
    headers = {"authorization": f"Bearer {text}"}
    with httpx.Client(base_url=operator.base_url, headers=headers) as client:
        assert client.get("/v1/users").status_code == 200
        assert client.get("/v1/keys").status_code == 403
        revoked = operator.delete(f"/v1/keys/{made['id']}")
        assert (revoked.status_code, revoked.json()["state"]) == (200, "revoked")
        refused = client.get("/v1/users")
    assert refused.status_code == 401
    assert refused.json()["detail"] == "the API key is not valid: it was revoked"
    assert operator.delete(f"/v1/keys/{made['id']}").json()["revoked_at"] == revoked.json()["revoked_at"]


def test_a_key_may_come_as_anthropics_clients_send_it(operator: httpx.Client) -> None:
    mine, other = key(operator, user_id="u1")["key"], key(operator, user_id="u2")["key"]

    def status(**headers: str) -> int:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx.get(f"{operator.base_url}/v1/users", headers=sent, timeout=60).status_code

    assert status(x_api_key=mine) == 200
    assert status(x_api_key=mine, authorization=f"Bearer {mine}") == 200
    assert status(x_api_key=mine, authorization=f"BEARER  {mine}") == 200
    assert status(x_api_key=mine, authorization=f"Bearer {other}") == 401
    assert status(x_api_key=mine, authorization="Basic dTpw") == 401
    assert status(x_api_key=f"{mine}, {mine}") == 401
    assert status(x_api_key="") == 401
    twice = httpx.get(f"{operator.base_url}/v1/users", headers=[("x-api-key", mine), ("x-api-key", other)], timeout=60)
    assert twice.status_code == 401
    assert "more than one" in twice.json()["detail"]


def test_usual_rights_are_to_read_and_write(operator: httpx.Client) -> None:
    made = key(operator)
    assert (made["rights"], made["tenant"], made["expires_at"]) == (["read", "write"], "default", None)
    assert made["time_zone"] is None


BAD_KEYS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "name", "is required"),
    ({"name": " "}, "name", "must not be blank"),
    ({"name": "a\nb"}, "name", "control characters"),
    ({"name": "x" * 129}, "name", "at most 128"),
    ({"name": "x", "tenant": "A"}, "tenant", "must be 1 to 64 characters"),
    ({"name": "x", "tenant": ""}, "tenant", "must be 1 to 64 characters"),
    ({"name": "x", "tenant": "a" * 65}, "tenant", "must be 1 to 64 characters"),
    ({"name": "x", "tenant": "a\n"}, "tenant", "must be 1 to 64 characters"),
    ({"name": "x", "rights": []}, "rights", "must be a list of rights: read, write, admin"),
    ({"name": "x", "rights": "read"}, "rights", "must be a list of rights"),
    ({"name": "x", "rights": ["read", "root"]}, "rights", "holds 'root', which is no right"),
    ({"name": "x", "rights": ["admin"], "user_id": "u1"}, "user_id", "concerns the tenant as a whole"),
    ({"name": "x", "trusted_proxy": True, "user_id": "u1"}, "trusted_proxy", "speaks for no other"),
    ({"name": "x", "time_zone": "Bergen"}, "time_zone", "is no time zone such as Europe/Berlin"),
    ({"name": "x", "time_zone": "../../etc/passwd"}, "time_zone", "is no time zone"),
    ({"name": "x", "time_zone": 2}, "time_zone", "valid string"),
    ({"name": "x", "time_zone": "x" * 65}, "time_zone", "at most 64"),
    ({"name": "x", "expires_at": "2020-01-01"}, "expires_at", "lies in the past"),
    ({"name": "x", "expires_at": "2099-01-01T00:00:00"}, "expires_at", "a time with a zone"),
    ({"name": "x", "expires_at": "tomorrow"}, "expires_at", "must be a day such as"),
    ({"name": "x", "expires_at": 4_000_000_000}, "expires_at", "must be a day such as"),
    ({"name": "x", "expires": "2099-01-01"}, "expires", "is not a field of this request"),
]


def test_a_bad_request_makes_no_key(operator: httpx.Client) -> None:
    before = operator.get("/v1/keys", params={"limit": 1_000}).json()["keys"]
    for body, at, why in BAD_KEYS:
        answer = operator.post("/v1/keys", json=body)
        assert answer.status_code == 422, body
        [fault] = answer.json()["errors"]
        assert fault["at"] == at, body
        assert why in fault["why"], body
    assert operator.get("/v1/keys", params={"limit": 1_000}).json()["keys"] == before


def test_a_listing_goes_on_at_its_cursor(operator: httpx.Client) -> None:
    made = [key(operator, tenant="pages", name=f"k{n}")["id"] for n in range(3)]
    first = operator.get("/v1/keys", params={"tenant": "pages", "limit": 2}).json()
    rest = operator.get("/v1/keys", params={"tenant": "pages", "limit": 2, "cursor": first["next"]}).json()
    assert [one["id"] for one in first["keys"] + rest["keys"]] == made
    assert rest["next"] is None
    other = operator.get("/v1/keys", params={"tenant": "default", "cursor": first["next"]})
    assert (other.status_code, other.json()["errors"][0]["at"]) == (422, "cursor")


def test_tenants_never_see_each_other(operator: httpx.Client) -> None:
    with shown_by(operator, tenant="red") as red, shown_by(operator, tenant="blue") as blue:
        assert red.post("/v1/remember", json=OURS | {"turns": [TURN]}).status_code == 201
        decision = red.post("/v1/ask", json=ASKED).json()
        assert decision["citations"]
        assert blue.get("/v1/users").json()["users"] == []
        assert blue.post("/v1/context", json=ASKED).json()["lines"] == []
        assert blue.get("/v1/stats").json()["n"] == 0
        for method, there, nowhere in (
            ("GET", "/v1/memories/1?user_id=u1", "/v1/memories/2?user_id=u1"),
            ("DELETE", "/v1/sessions/s1?user_id=u1", "/v1/sessions/s2?user_id=u1"),
            ("DELETE", "/v1/users/u1", "/v1/users/u2"),
        ):
            one, other = blue.request(method, there), blue.request(method, nowhere)
            assert (one.status_code, one.content) == (other.status_code, other.content) == (404, one.content)
        one, other = blue.get(f"/v1/decisions/{decision['decision_id']}"), blue.get(f"/v1/decisions/{'0' * 32}")
        assert one.status_code == other.status_code == 404
        assert one.text.replace(decision["decision_id"], "") == other.text.replace("0" * 32, "")
        assert blue.get("/readyz").json() == {
            "status": "ready",
            "version": tirtha.__version__,
            "turns": 0,
            "waiting": 0,
        }
        assert red.get("/readyz").json()["turns"] == 1


def test_an_administrator_manages_its_own_tenant(operator: httpx.Client) -> None:
    theirs = key(operator)
    with shown_by(operator, tenant="green", rights=["admin"]) as green:
        assert {one["tenant"] for one in green.get("/v1/keys").json()["keys"]} == {"green"}
        assert green.post("/v1/keys", json={"name": "app"}).json()["tenant"] == "green"
        for answer in (
            green.post("/v1/keys", json={"name": "app", "tenant": "default"}),
            green.post("/v1/keys", json={"name": "app", "tenant": "no-such-tenant"}),
            green.get("/v1/keys", params={"tenant": "default"}),
        ):
            assert answer.status_code == 403
            assert "its own tenant only" in answer.json()["detail"]
        one, other = green.delete(f"/v1/keys/{theirs['id']}"), green.delete("/v1/keys/0000000000")
        assert one.status_code == other.status_code == 404
        assert one.text.replace(theirs["id"], "") == other.text.replace("0000000000", "")
    headers = {"authorization": f"Bearer {theirs['key']}"}
    assert httpx.get(f"{operator.base_url}/v1/users", headers=headers).status_code == 200


def test_a_bound_key_acts_for_its_user_only(operator: httpx.Client) -> None:
    with shown_by(operator, tenant="bound") as whole, shown_by(operator, tenant="bound", user_id="u2") as bound:
        for user in ("u1", "u2"):
            whole.post("/v1/remember", json={"user_id": user, "session_id": "s1", "turns": [TURN]})
        assert [one["user_id"] for one in bound.get("/v1/users").json()["users"]] == ["u2"]
        asked = bound.post("/v1/ask", json=ASKED | {"user_id": "u2"})
        assert asked.status_code == 200
        code = {"task": "code", "question": "Write f.", "entry_point": "f", "tests": "assert f(1) == 1"}
        assert bound.post("/v1/ask", json=code).status_code in {200, 503}, "a program names no user"
        for method, path, body in (
            ("POST", "/v1/remember", OURS | {"turns": [TURN]}),
            ("POST", "/v1/ask", ASKED),
            ("POST", "/v1/context", ASKED),
            ("POST", "/v1/recall", ASKED),
            ("POST", "/v1/ask", code | {"user_id": "u1"}),
            ("POST", "/v1/forget", {"user_id": "u1"}),
            ("GET", "/v1/sessions?user_id=u1", None),
            ("GET", "/v1/memories?user_id=u1", None),
            ("GET", "/v1/memories/1?user_id=u1&session_id=s1", None),
            ("DELETE", "/v1/users/u1", None),
            ("GET", "/v1/stats", None),
        ):
            answer = bound.request(method, path, json=body)
            assert answer.status_code == 403, (method, path)
            assert "bound to" in answer.json()["detail"]
        assert "turns" not in bound.get("/readyz").json(), "that would count those of others"
        theirs = whole.post("/v1/ask", json=ASKED).json()["decision_id"]
        assert bound.get(f"/v1/decisions/{theirs}").status_code == 404
        assert bound.get(f"/v1/decisions/{asked.json()['decision_id']}").status_code == 200


def test_of_a_bulk_the_lines_of_another_user_are_rejected(operator: httpx.Client) -> None:
    with shown_by(operator, tenant="bulk", user_id="u2") as bound:
        lines = [
            {"user_id": user, "session_id": "s1", "role": "user", "text": f"I am {user}."} for user in ("u1", "u2")
        ]
        body = "\n".join(json.dumps(line) for line in lines)
        answer = bound.post("/v1/remember", content=body, headers={"content-type": "application/x-ndjson"}).json()
        assert (answer["stored"], answer["rejected_lines"]) == (1, 1)
        [rejected] = answer["rejected"]
        assert (rejected["line"], rejected["at"]) == (1, "user_id")
        assert "bound to one user" in rejected["why"]


def test_what_is_shown_without_a_key(url: str, operator: httpx.Client) -> None:
    with httpx.Client(base_url=url, timeout=60) as keyless:
        assert keyless.get("/healthz").json() == {"status": "ok", "version": tirtha.__version__}
        assert keyless.get("/readyz").json() == {"status": "ready", "version": tirtha.__version__}
        answer = keyless.post("/v1/ask", json=ASKED)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"
        assert "Authorization: Bearer trt_" in answer.json()["detail"]
        assert keyless.get("/readyz", headers={"authorization": "Bearer trt_x"}).status_code == 401
    with shown_by(operator, rights=["write"]) as writer:
        assert "turns" not in writer.get("/readyz").json()
    assert operator.get("/readyz").json()["turns"] >= 0


def test_the_local_proof_is_not_good_through_a_proxy(operator: httpx.Client) -> None:
    assert operator.get("/v1/keys").status_code == 200
    answer = operator.get("/v1/keys", headers={"x-forwarded-for": "127.0.0.1"})
    assert answer.status_code == 401


def test_a_key_is_good_through_a_proxy_and_under_its_name(operator: httpx.Client) -> None:
    with shown_by(operator) as client:
        headers = {"x-forwarded-for": "192.0.2.7", "host": "memory.example"}
        assert client.get("/v1/users", headers=headers).status_code == 200


def test_an_expired_key(operator: httpx.Client) -> None:
    soon = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
    with shown_by(operator, expires_at=soon) as client:
        deadline = datetime.now(UTC) + timedelta(seconds=10)
        while client.get("/v1/users").status_code == 200:
            assert datetime.now(UTC) < deadline
        refused = client.get("/v1/users")
        assert (refused.status_code, refused.json()["detail"]) == (401, "the API key is not valid: it has expired")


SIGNS: list[tuple[str, str]] = [
    ("X-Forwarded-For", "192.0.2.7"),
    ("X-Forwarded-Host", "memory.example"),
    ("X-Forwarded-Proto", "https"),
    ("Forwarded", "for=192.0.2.7"),
    ("X-Real-IP", "192.0.2.7"),
    ("Via", "1.1 proxy"),
    ("CF-Connecting-IP", "192.0.2.7"),
]


async def test_without_a_key_what_a_proxy_forwarded_is_refused(client: httpx.AsyncClient) -> None:
    assert (await client.get("/v1/users")).status_code == 200
    for name, value in SIGNS:
        for path in ("/v1/users", "/healthz", "/readyz", "/none"):
            answer = await client.get(path, headers={name: value})
            assert answer.status_code == 403, (name, path)
            assert f"header {name.title()}" in answer.json()["detail"]
            assert "tirtha keys create NAME" in answer.json()["detail"]


@pytest.fixture
async def from_elsewhere(service: Service, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    transport = httpx.ASGITransport(create_app(service, settings), client=("192.0.2.7", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as opened:
        yield opened


async def test_without_a_key_another_machine_is_refused(
    client: httpx.AsyncClient, from_elsewhere: httpx.AsyncClient, service: Service
) -> None:
    assert (await from_elsewhere.get("/v1/users")).status_code == 403
    made = (await client.post("/v1/keys", json={"name": "first"})).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    assert (await from_elsewhere.get("/v1/users", headers=headers)).status_code == 200
    local = {"authorization": f"Tirtha-Local {service.authentication.local_proof}"}
    assert (await client.get("/v1/users", headers=local)).status_code == 200
    assert (await from_elsewhere.get("/v1/users", headers=local)).status_code == 401


async def test_a_lost_pepper_is_reported(client: httpx.AsyncClient, service: Service, settings: Settings) -> None:
    made = (await client.post("/v1/keys", json={"name": "first"})).json()
    headers = {"authorization": f"Bearer {made['key']}"}
    pepper = settings.folder / "pepper"
    kept = pepper.read_bytes()
    pepper.unlink()
    refused = await client.get("/v1/users", headers=headers)
    assert refused.status_code == 401
    assert "lost the pepper" in refused.json()["detail"]
    pepper.write_text("short")
    broken = await client.get("/v1/users", headers=headers)
    assert broken.status_code == 503
    assert str(pepper) in broken.json()["detail"]
    pepper.write_bytes(kept)
    assert (await client.get("/v1/users", headers=headers)).status_code == 200
    assert await service.keys.what_is_wrong() == []
