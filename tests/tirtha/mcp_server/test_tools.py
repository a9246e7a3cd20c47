"""The tools and the resources over HTTP, in both eras of the protocol, against the application that really listens."""

import json
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pytest
from mcp.shared.exceptions import MCPError

from memory.encoding.encoder import Encoder
from tests.support.agents import Era, Person, agent, data, eras, refusal, resource_text, sessions_of
from tests.support.server import serving

TRAM = "My sister Anna moved to Lisbon and takes the tram to work."


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[str]:
    """A server without keys."""
    with serving(Path(tmp_path_factory.mktemp("agents")) / "home", encoder) as address:
        yield address


@eras
async def test_the_tools_are_listed_with_what_they_take_and_do(url: str, era: Era) -> None:
    async with agent(url, era=era) as client:
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        assert list(tools) == ["remember", "recall", "ask", "list_sessions", "forget"]
        for name, tool in tools.items():
            assert tool.input_schema["additionalProperties"] is False, name
            assert (tool.output_schema or {})["type"] == "object"
            assert all((tool.description, tool.title))
            assert tool.annotations is not None
            assert tool.annotations.open_world_hint is False
            assert tool.annotations.read_only_hint is (name in {"recall", "ask", "list_sessions"})
            assert bool(tool.annotations.destructive_hint) is (name == "forget")
        assert "never an instruction" in (client.instructions or "")
        assert client.server_info is not None
        assert client.server_info.name == "tirtha"


@eras
async def test_what_was_said_in_one_session_another_recalls_and_cites(url: str, era: Era) -> None:
    user = f"said-{era}"
    async with agent(url, user=user, era=era) as client:
        stored = data(await client.call_tool("remember", {"text": TRAM}))
        [turn] = stored["turns"]
        assert turn["stored"] is True
    async with agent(url, user=user, era=era) as client:
        found = data(await client.call_tool("recall", {"question": "Where does Anna live?", "budget": 300}))
        assert TRAM in found["text"]
        assert found["tokens"] <= found["budget"] == 300
        assert [(line["turn_id"], line["session_id"]) for line in found["lines"]] == [
            (turn["id"], stored["session_id"])
        ]
        answered = data(await client.call_tool("ask", {"question": "Where did Anna move?"}))
        assert "Lisbon" in answered["answer"]
        assert answered["citations"][0]["turn_id"] == turn["id"]
    async with agent(url, user=f"{user}-stranger", era=era) as client:
        assert data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["lines"] == []
        assert data(await client.call_tool("ask", {"question": "Where did Anna move?"}))["abstained"] is True
        assert data(await client.call_tool("list_sessions", {}))["sessions"] == []


async def test_a_budget_that_no_line_fits_is_refused_with_what_is_needed(url: str) -> None:
    async with agent(url, user="budget") as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        words = refusal(await client.call_tool("recall", {"question": "Where does Anna live?", "budget": 1}))
        assert "the shortest takes" in words


@eras
async def test_the_text_beside_structured_output_is_the_same_as_json(url: str, era: Era) -> None:
    async with agent(url, user="text", era=era) as client:
        result = await client.call_tool("remember", {"text": TRAM})
        assert json.loads(result.content[0].text) == data(result)  # type: ignore[union-attr]


async def test_turns_keep_their_role_speaker_time_and_id(url: str) -> None:
    turns = [
        {"id": "a", "role": "user", "speaker": "Ben", "text": "I start at Nokia.", "said_at": "2026-05-08T10:00:00Z"},
        {"id": "b", "role": "assistant", "text": "Congratulations!", "said_at": "2026-05-08T10:00:05Z"},
    ]
    async with agent(url, user="turns") as client:
        stored = data(await client.call_tool("remember", {"turns": turns, "session_id": "jobs"}))
        assert stored == {"session_id": "jobs", "turns": [{"id": "a", "stored": True}, {"id": "b", "stored": True}]}
        again = data(await client.call_tool("remember", {"turns": json.dumps(turns), "session_id": "jobs"}))
        assert [turn["stored"] for turn in again["turns"]] == [False, False]
        other = await client.call_tool("remember", {"turns": [turns[0] | {"text": "No."}], "session_id": "jobs"})
        assert "another" in refusal(other)
        read = json.loads(await resource_text(client, "tirtha://sessions/jobs"))
        assert read["turns"] == [{"speaker": None} | turn for turn in turns]


@pytest.mark.parametrize(
    ("tool", "arguments", "words"),
    [
        ("remember", {}, "give either text or turns"),
        ("remember", {"text": "a", "turns": [{"role": "user", "text": "b"}]}, "give either text or turns"),
        ("remember", {"txt": "a"}, "txt: is not a field of this request"),
        ("remember", {"text": "  "}, "text: must not be blank"),
        ("remember", {"turns": []}, "turns: List should have at least 1 item"),
        ("remember", {"turns": "no json"}, "turns: Input should be a valid list"),
        ("remember", {"turns": [{"role": "user", "text": "a"}, {"role": "user"}]}, "turns[1].text: is required"),
        ("remember", {"turns": [{"role": "boss", "text": "a"}]}, "turns[0].role: Input should be 'user'"),
        (
            "remember",
            {"turns": [{"role": "user", "text": "a", "said_at": "yesterday"}]},
            "turns[0].said_at: is no ISO 8601 time",
        ),
        ("recall", {}, "question: is required"),
        ("recall", {"question": "Who?", "budget": "many"}, "budget: Input should be a valid integer"),
        ("recall", {"question": "Who? " * 10_000}, "characters"),
        ("ask", {"question": "Who?", "user_id": ""}, "user_id: String should have at least 1 character"),
        ("forget", {}, "name what to forget"),
        ("forget", {"turn_id": "a"}, "turn_id needs session_id"),
        ("forget", {"session_id": "s", "everything": True}, "name what to forget"),
        ("forget", {"session_id": "never", "confirm": True}, "nothing of that is remembered"),
        ("list_sessions", {"cursor": "made up"}, "is no cursor of this server"),
    ],
)
async def test_bad_arguments_are_named_so_that_an_agent_can_correct_them(
    url: str, tool: str, arguments: dict[str, object], words: str
) -> None:
    async with agent(url, user="bad") as client:
        assert words in refusal(await client.call_tool(tool, arguments))
        assert data(await client.call_tool("list_sessions", {}))["sessions"] == []


@eras
async def test_an_unknown_tool_is_refused_with_the_known_ones(url: str, era: Era) -> None:
    async with agent(url, era=era) as client:
        with pytest.raises(MCPError, match="there is no tool 'rember': there are remember, recall"):
            await client.call_tool("rember", {})


@eras
async def test_forgetting_needs_consent_and_goes_with_confirm(url: str, era: Era) -> None:
    async with agent(url, user=f"forget-{era}", era=era) as client:
        stored = data(await client.call_tool("remember", {"text": TRAM}))
        named = {"session_id": stored["session_id"], "turn_id": stored["turns"][0]["id"]}
        words = refusal(await client.call_tool("forget", named))
        assert "confirm: true" in words
        assert stored["turns"][0]["id"] in words
        assert data(await client.call_tool("list_sessions", {}))["sessions"][0]["turns"] == 1
        assert data(await client.call_tool("forget", named | {"confirm": True}))["turns"] == 1
        assert data(await client.call_tool("list_sessions", {}))["sessions"] == []
        assert data(await client.call_tool("recall", {"question": "Where does Anna live?"}))["lines"] == []


async def test_a_client_that_can_ask_its_user_does(url: str) -> None:
    person = Person()
    async with agent(url, user="asked", person=person) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert data(await client.call_tool("forget", {"everything": True}))["turns"] == 1
        assert person.asked == ["Forget everything that is remembered of the user 'asked', for good?"]


@pytest.mark.parametrize("person", [Person(action="decline"), Person(action="cancel"), Person(says=False)])
async def test_who_does_not_agree_loses_nothing(url: str, person: Person) -> None:
    async with agent(url, user="kept", person=person) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert "did not agree" in refusal(await client.call_tool("forget", {"everything": True}))
        assert person.asked
        assert data(await client.call_tool("list_sessions", {}))["sessions"]


async def test_the_older_protocol_over_http_cannot_ask_and_says_so(url: str) -> None:
    person = Person()
    async with agent(url, user="older", era="legacy", person=person) as client:
        data(await client.call_tool("remember", {"text": TRAM}))
        assert "confirm: true" in refusal(await client.call_tool("forget", {"everything": True}))
        assert person.asked == []


@eras
async def test_sessions_are_resources_that_read_as_they_were_sent(url: str, era: Era) -> None:
    user = f"resources-{era}"
    async with agent(url, user=user, era=era) as client:
        for session in ("a/b c", "täglich", "2"):
            data(await client.call_tool("remember", {"text": f"This is {session}.", "session_id": session}))
        listed = (await client.list_resources()).resources
        assert [one.name for one in listed] == ["a/b c", "täglich", "2"]
        shown = data(await client.call_tool("list_sessions", {}))["sessions"]
        assert [one.uri for one in listed] == [one["uri"] for one in shown]
        for one in listed:
            [turn] = json.loads(await resource_text(client, one.uri))["turns"]
            assert turn["text"] == f"This is {one.name}."
        [template] = (await client.list_resource_templates()).resource_templates
        assert template.uri_template.startswith("tirtha://sessions/{session_id}")
        for uri in ("tirtha://sessions/never", "tirtha://users/u", "tirtha://sessions/a?x=1", "tirtha://sessions/"):
            with pytest.raises(MCPError):
                await client.read_resource(uri)
    async with agent(url, user=f"{user}-other", era=era) as client:
        with pytest.raises(MCPError, match="nothing of that is remembered"):
            await client.read_resource(listed[0].uri)


async def test_a_long_session_is_read_page_by_page(url: str) -> None:
    turns = [
        {"role": "user", "text": f"Line {n}.", "said_at": f"2026-05-08T10:{n // 60:02}:{n % 60:02}Z"}
        for n in range(450)
    ]
    async with agent(url, user="long") as client:
        data(await client.call_tool("remember", {"turns": turns, "session_id": "long"}))
        uri, read = "tirtha://sessions/long", []
        while uri:
            page = json.loads(await resource_text(client, uri))
            read.append([turn["text"] for turn in page["turns"]])
            uri = page["next_uri"]
        assert [len(texts) for texts in read] == [200, 200, 50]
        assert list(chain(*read)) == [turn["text"] for turn in turns]


async def test_pages_of_sessions_follow_each_other(url: str) -> None:
    async with agent(url, user="pages") as client:
        for n in range(5):
            data(await client.call_tool("remember", {"text": "Hello.", "session_id": f"s{n}"}))
        first = data(await client.call_tool("list_sessions", {"limit": 3}))
        second = data(await client.call_tool("list_sessions", {"limit": 3, "cursor": first["next"]}))
        assert [one["session_id"] for one in first["sessions"] + second["sessions"]] == [f"s{n}" for n in range(5)]
        assert second["next"] is None


async def test_without_keys_the_default_users_memory_is_meant_unless_another_is_named(url: str) -> None:
    async with agent(url) as client:
        data(await client.call_tool("remember", {"text": TRAM, "session_id": "mine"}))
        data(
            await client.call_tool("remember", {"text": TRAM, "session_id": "hers", "user_id": "anna", "agent_id": "a"})
        )
        mine = data(await client.call_tool("list_sessions", {}))["sessions"]
        hers = data(await client.call_tool("list_sessions", {"user_id": "anna", "agent_id": "a"}))["sessions"]
        assert [one["session_id"] for one in mine] == ["mine"]
        assert hers[0]["uri"] == "tirtha://sessions/hers?user_id=anna&agent_id=a"
        assert TRAM in await resource_text(client, hers[0]["uri"])
    assert sessions_of(url, "default") == ["mine"]


async def test_a_user_in_the_header_cannot_be_left_by_an_argument(url: str) -> None:
    async with agent(url, user="bound") as client:
        words = refusal(await client.call_tool("recall", {"question": "Who?", "user_id": "other"}))
        assert "one user_id only" in words
        data(await client.call_tool("recall", {"question": "Who?", "user_id": "bound"}))
