"""`/mcp` as a route: whatever holds for the others holds for it, and each tool needs its right."""

import json
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from mcp.shared.exceptions import MCPError

from memory.encoding.encoder import Encoder
from tests.support.agents import ERAS, Era, agent, data, eras, refusal, resource_text
from tests.support.chat_server import answers, chat_server
from tests.support.server import serving

TRAM = "My sister Anna moved to Lisbon and takes the tram to work."
JSON = {"accept": "application/json, text/event-stream", "content-type": "application/json"}
PING = {"jsonrpc": "2.0", "id": 1, "method": "ping"}


class Keys:
    """A server that needs keys, and the keys."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._boss = self._made({"name": "boss", "rights": ["read", "write", "admin"]}, None)
        self.boss = {"authorization": f"Bearer {self._boss}"}

    def make(self, **fields: Any) -> str:
        """A new key; may read and write unless said otherwise."""
        return self._made({"name": "test", "rights": ["read", "write"]} | fields, self.boss)

    def make_tenant(self, **fields: Any) -> None:
        """A new tenant."""
        httpx.post(f"{self.url}/v1/tenants", json=fields, headers=self.boss).raise_for_status()

    def get(self, path: str, **query: str) -> httpx.Response:
        """What an administrator reads."""
        return httpx.get(self.url + path, params=query, headers=self.boss)

    def pinged(self, **headers: str) -> httpx.Response:
        """The answer to the simplest message."""
        return httpx.post(f"{self.url}/mcp", json=PING, headers=JSON | self.boss | headers)

    def _made(self, fields: dict[str, Any], shown: dict[str, str] | None) -> str:
        answer = httpx.post(f"{self.url}/v1/keys", json=fields, headers=shown)
        assert answer.status_code == 201, answer.text
        return str(answer.json()["key"])


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[Keys]:
    with serving(Path(tmp_path_factory.mktemp("keys")) / "home", encoder) as url:
        yield Keys(url)


@pytest.mark.parametrize("shown", [{}, {"authorization": "Bearer trt_abcdefghij_" + "A" * 43}])
def test_without_a_good_key_it_is_401_in_our_shape(keys: Keys, shown: dict[str, str]) -> None:
    answer = httpx.post(f"{keys.url}/mcp", json=PING, headers=JSON | shown)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.headers["content-type"] == "application/problem+json"
    assert "key" in answer.json()["detail"]


@eras
async def test_a_client_without_a_key_is_not_let_in(keys: Keys, era: Era) -> None:
    with pytest.raises(ExceptionGroup) as refused:  # as the SDK wraps it
        async with agent(keys.url, era=era):
            pass
    assert "Server returned an error response" in _words(refused.value)


@eras
async def test_each_tool_needs_its_right_and_says_which(keys: Keys, era: Era) -> None:
    reader, writer = keys.make(rights=["read"]), keys.make(rights=["write"])
    async with agent(keys.url, key=reader, user=f"rights-{era}", era=era) as client:
        for tool, arguments in (("remember", {"text": TRAM}), ("forget", {"everything": True, "confirm": True})):
            assert "the right 'write'" in refusal(await client.call_tool(tool, arguments))
        data(await client.call_tool("recall", {"question": "Who?"}))
        data(await client.call_tool("ask", {"question": "Who?"}))
        data(await client.call_tool("list_sessions", {}))
    async with agent(keys.url, key=writer, user=f"rights-{era}", era=era) as client:
        assert len((await client.list_tools()).tools) == 5
        stored = data(await client.call_tool("remember", {"text": TRAM}))
        for tool, arguments in (("recall", {"question": "Who?"}), ("ask", {"question": "Who?"}), ("list_sessions", {})):
            assert "the right 'read'" in refusal(await client.call_tool(tool, arguments))
        with pytest.raises(MCPError, match="the right 'read'"):
            await client.read_resource(f"tirtha://sessions/{stored['session_id']}")
        data(await client.call_tool("forget", {"everything": True, "confirm": True}))


@eras
async def test_an_unbound_key_shares_nobodys_memory_by_accident(keys: Keys, era: Era) -> None:
    async with agent(keys.url, key=keys.make(), era=era) as client:
        for tool, arguments in (
            ("remember", {"text": TRAM}),
            ("recall", {"question": "Who?"}),
            ("ask", {"question": "Who?"}),
            ("list_sessions", {}),
            ("forget", {"everything": True, "confirm": True}),
        ):
            words = refusal(await client.call_tool(tool, arguments))
            assert all(way in words for way in ("user_id", "X-Tirtha-User", "--user"))
        assert (await client.list_resources()).resources == []
        with pytest.raises(MCPError, match="whose memory"):
            await client.read_resource("tirtha://sessions/s1")
        stored = data(await client.call_tool("remember", {"text": TRAM, "user_id": f"named-{era}"}))
        [session] = data(await client.call_tool("list_sessions", {"user_id": f"named-{era}"}))["sessions"]
        assert session["session_id"] == stored["session_id"]
        assert TRAM in await resource_text(client, session["uri"])


@eras
async def test_a_bound_key_acts_for_its_user_and_no_one_else(keys: Keys, era: Era) -> None:
    user = f"bound-{era}"
    key = keys.make(user_id=user)
    async with agent(keys.url, key=key, era=era) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert TRAM in data(await client.call_tool("recall", {"question": "Where is Anna?", "user_id": user}))["text"]
        for tool, arguments in (("recall", {"question": "Who?"}), ("remember", {"text": "x"}), ("list_sessions", {})):
            assert "one user_id only" in refusal(await client.call_tool(tool, arguments | {"user_id": "boss"}))
        with pytest.raises(MCPError, match="one user_id only"):
            await client.read_resource("tirtha://sessions/s1?user_id=boss")
        assert len((await client.list_resources()).resources) == 1
    async with agent(keys.url, key=key, user="boss", era=era) as client:
        assert "bound to one user" in refusal(await client.call_tool("recall", {"question": "Who?"}))
    async with agent(keys.url, key=key, user=user, era=era) as client:
        assert TRAM in data(await client.call_tool("recall", {"question": "Where is Anna?"}))["text"]


@eras
async def test_another_tenants_key_sees_nothing_of_the_same_user(keys: Keys, era: Era) -> None:
    user = f"tenants-{era}"
    async with agent(keys.url, key=keys.make(), user=user, era=era) as client:
        stored = data(await client.call_tool("remember", {"text": TRAM}))
        uri = (await client.list_resources()).resources[0].uri
    async with agent(keys.url, key=keys.make(tenant="acme"), user=user, era=era) as client:
        assert data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["lines"] == []
        assert data(await client.call_tool("ask", {"question": "Where does Anna live?"}))["abstained"] is True
        assert data(await client.call_tool("list_sessions", {}))["sessions"] == []
        assert (await client.list_resources()).resources == []
        with pytest.raises(MCPError, match="nothing of that is remembered"):
            await client.read_resource(uri)
        named = {"session_id": stored["session_id"], "confirm": True}
        assert refusal(await client.call_tool("forget", named)) == "nothing of that is remembered"
        # What it asked is its own, and all that it has.
        assert data(await client.call_tool("forget", {"everything": True, "confirm": True}))["turns"] == 0
    async with agent(keys.url, key=keys.make(), user=user, era=era) as client:
        assert TRAM in data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["text"]


@pytest.mark.parametrize(
    ("sent", "words"),
    [
        (["x" * 129], "X-Tirtha-User: String should have at most"),
        (["anna", "ben"], "given more than once"),
        ([b"\xff"], "must be UTF-8"),
        ([""], "nothing says whose memory"),
        (["J\u00fcrgen".encode()], ""),
    ],
)
def test_a_header_that_names_no_one_is_refused(keys: Keys, sent: list[str | bytes], words: str) -> None:
    named = [(b"x-tirtha-user", value if isinstance(value, bytes) else value.encode()) for value in sent]
    body = PING | {"method": "tools/call", "params": {"name": "list_sessions", "arguments": {}}}
    headers = [(name.encode(), value.encode()) for name, value in (JSON | keys.boss).items()]
    answer = httpx.post(f"{keys.url}/mcp", json=body, headers=[*headers, *named])
    result = json.loads(answer.text.partition("data: ")[2])["result"]
    assert result["isError"] is bool(words)
    assert words in result["content"][0]["text"]


def test_only_posts_are_taken(keys: Keys) -> None:
    for method in ("GET", "DELETE", "PUT"):
        answer = httpx.request(method, f"{keys.url}/mcp", headers=JSON | keys.boss)
        assert answer.status_code == 405
        assert answer.headers["allow"] == "OPTIONS, POST"
        assert answer.headers["content-type"] == "application/problem+json"


def test_pages_of_other_names_are_refused_and_our_own_is_not(keys: Keys) -> None:
    for origin, status in (("https://evil.example", 403), ("null", 403), (keys.url, 200)):
        answer = httpx.post(f"{keys.url}/mcp", json=PING, headers=JSON | keys.boss | {"origin": origin})
        assert answer.status_code == status, origin
    strange = httpx.post(f"{keys.url}/mcp", json=PING, headers=JSON | keys.boss, params={"typo": 1})
    assert strange.status_code == 422


def test_what_is_no_message_is_refused_in_the_protocols_words(keys: Keys) -> None:
    answer = httpx.post(f"{keys.url}/mcp", content=b"{no json", headers=JSON | keys.boss)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == -32700


@contextmanager
def strict(home: Path, encoder: Encoder, **settings: str) -> Iterator[str]:
    """A server with small limits."""
    with serving(home, encoder, **settings) as url:
        yield url


def test_bodies_are_held_to_their_size_announced_or_not(tmp_path: Path, encoder: Encoder) -> None:
    with strict(tmp_path / "home", encoder, TIRTHA_MAX_BODY_BYTES="2000") as url:
        large = json.dumps(PING | {"params": {"_meta": {"x": "x" * 2_000}}}).encode()
        for content in (large, iter([large[:1_000], large[1_000:]])):
            answer = httpx.post(f"{url}/mcp", content=content, headers=JSON)
            assert answer.status_code == 413
            assert answer.headers["content-type"] == "application/problem+json"
            assert "2,000" in answer.json()["detail"]
        assert httpx.post(f"{url}/mcp", json=PING, headers=JSON).status_code == 200


async def test_a_slow_body_is_ended_and_a_slow_answer_is_not(tmp_path: Path, encoder: Encoder) -> None:
    with chat_server() as tier:
        tier.script = lambda request: answers("Lisbon", 1, wait_s=2.5)
        times = {"TIRTHA_BODY_PAUSE_S": "0.5", "TIRTHA_BODY_TIMEOUT_S": "1"}
        local = {"TIRTHA_LOCAL_URL": tier.url, "TIRTHA_LOCAL_MODEL": "scripted"} | {
            f"TIRTHA_LOCAL_{kind}_USD_PER_MTOK": "0" for kind in ("INPUT", "OUTPUT")
        }
        with strict(tmp_path / "home", encoder, **times, **local) as url:
            for era in ERAS:
                async with agent(url, user=era, era=era) as client:
                    data(await client.call_tool("remember", {"text": TRAM}))
                    answered = data(await client.call_tool("ask", {"question": "Where did Anna move?"}))
                    assert (answered["answer"], answered["path"]) == ("Lisbon", "local")

            place = urlsplit(url)
            lines = [
                "POST /mcp HTTP/1.1",
                f"Host: {place.netloc}",
                "Content-Type: application/json",
                "Content-Length: 99",
            ]
            with socket.create_connection((str(place.hostname), int(place.port or 0)), timeout=10) as connection:
                connection.sendall("\r\n".join([*lines, "", '{"jsonrpc"']).encode())
                assert b" 408 " in connection.recv(1_000).splitlines()[0]


async def test_rates_hold_in_words_and_as_429(keys: Keys) -> None:
    keys.make_tenant(name="slow", user_requests_per_minute=2)
    async with agent(keys.url, key=keys.make(tenant="slow"), user="u") as client:
        for _ in range(2):
            data(await client.call_tool("recall", {"question": "Who?"}))
        assert "try again in" in refusal(await client.call_tool("recall", {"question": "Who?"}))
    keys.make_tenant(name="slower", requests_per_minute=1)
    key = f"Bearer {keys.make(tenant='slower')}"
    assert [keys.pinged(authorization=key).status_code for _ in range(2)] == [200, 429]


async def test_calls_are_counted_audited_and_named(keys: Keys) -> None:
    async with agent(keys.url, key=keys.make(), user="audited") as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        refusal(await client.call_tool("recall", {}))
    metrics = keys.get("/metrics").text
    for line in (
        'tirtha_mcp_tool_calls_total{outcome="answered",tool="remember"}',
        'tirtha_mcp_tool_calls_total{outcome="refused",tool="recall"}',
        'tirtha_http_requests_total{method="POST",route="/mcp",status="200"}',
    ):
        assert line in metrics
    [entry] = keys.get("/v1/audit", user_id="audited").json()["entries"]
    assert (entry["what"], entry["count"]) == ("remember", 1)
    assert all((entry["request_id"], entry["key_id"]))
    answer = keys.pinged(**{"x-request-id": "mine"})
    assert answer.headers["x-request-id"] == "mine"
    assert answer.headers["x-content-type-options"] == "nosniff"


def _words(error: BaseException) -> str:
    """All that an error says, and those that it groups."""
    grouped = error.exceptions if isinstance(error, BaseExceptionGroup) else ()
    return " ".join([str(error), *map(_words, grouped)])
