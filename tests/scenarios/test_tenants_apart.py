"""Three tenants with keys, over HTTP: what is another's answers exactly as what does not exist, whatever was done before.

Status, body and headers are compared, but for ids, times and what depends on them.
"""

import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, ClassVar
from uuid import uuid4

import httpx
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from memory.encoding.encoder import Encoder
from tests.support.server import serving

NAMES = ("red", "green", "blue")
TENANTS = st.sampled_from(NAMES)
QUESTION = "Where is the key?"
MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}T[0-9:.]+(?:Z|\+00:00)")
OF_THE_REQUEST = re.compile(r'"(?:decision_id|latency_ms|exported_at|sha256|request_id)":(?:"[^"]*"|\d+)')
NOT_COMPARED = {"x-request-id", "content-length", "date"}  # a length shows how long ids and times are


@dataclass(frozen=True, slots=True)
class Ids:
    """What can be named of a tenant; made up, the names of nothing."""

    user: str = field(default_factory=lambda: uuid4().hex)
    session: str = field(default_factory=lambda: uuid4().hex)
    turn: str = field(default_factory=lambda: uuid4().hex)
    decision: str = field(default_factory=lambda: uuid4().hex)
    key: str = field(default_factory=lambda: uuid4().hex[:10])


Probe = tuple[str, str, dict[str, Any] | None]


def probes(ids: Ids) -> list[Probe]:
    """Every way to name something."""
    user, turn = f"user_id={ids.user}", f"/v1/memories/{ids.turn}?user_id={ids.user}&session_id={ids.session}"
    question = {"user_id": ids.user, "question": QUESTION, "asked_at": "2026-03-01T00:00:00Z"}
    return [
        ("GET", f"/v1/sessions?{user}", None),
        ("GET", f"/v1/memories?{user}", None),
        ("GET", f"/v1/memories?{user}&session_id={ids.session}", None),
        ("GET", f"/v1/memories?{user}&query=key", None),
        ("GET", turn, None),
        ("GET", f"/v1/decisions?{user}", None),
        ("GET", f"/v1/decisions/{ids.decision}", None),
        ("GET", f"/v1/export?{user}", None),
        ("GET", f"/v1/audit?{user}", None),
        ("POST", "/v1/context", question),
        ("POST", "/v1/recall", question),
        ("POST", f"/v1/decisions/{ids.decision}/feedback", {"correct": True}),
        ("POST", "/v1/forget", {"user_id": ids.user, "session_id": ids.session, "turn_id": ids.turn}),
        ("DELETE", turn, None),
        ("DELETE", f"/v1/sessions/{ids.session}?{user}", None),
        ("DELETE", f"/v1/users/{ids.user}", None),
        ("DELETE", f"/v1/keys/{ids.key}", None),
        ("POST", "/v1/ask", question),  # the last: it leaves a decision of the user
    ]


def shown(answer: httpx.Response, ids: Ids) -> tuple[int, dict[str, str], str]:
    """What can be seen of an answer, without the ids that were asked for, and times."""
    text = OF_THE_REQUEST.sub("", MOMENT.sub("then", answer.text))
    headers = {name: value for name, value in answer.headers.items() if name not in NOT_COMPARED}
    for name, own in asdict(ids).items():
        text = text.replace(own, f"<{name}>")
    return answer.status_code, headers, text


class Apart(RuleBasedStateMachine):
    """One server; in every example new users, sessions, turns and keys of three tenants."""

    client: ClassVar[httpx.Client]
    keys: ClassVar[dict[str, str]]
    compared: ClassVar[int] = 0

    @initialize()
    def begin(self) -> None:
        self.held: dict[str, list[Ids]] = {name: [] for name in NAMES}
        self.named: set[tuple[str, Ids]] = set()

    @rule(tenant=TENANTS)
    def remember_and_ask(self, tenant: str) -> None:
        made = Ids()
        turn = {"id": made.turn, "role": "user", "text": f"The key of {tenant} is under the stone {made.turn}."}
        stored = {"user_id": made.user, "session_id": made.session, "turns": [turn]}
        assert self.send(tenant, "POST", "/v1/remember", stored).status_code == 201
        answered = self.send(tenant, "POST", "/v1/ask", {"user_id": made.user, "question": QUESTION}).json()
        key = self.send(tenant, "POST", "/v1/keys", {"name": "one more", "rights": ["read"]}).json()
        known = Ids(
            user=made.user,
            session=made.session,
            turn=made.turn,
            decision=answered["decision_id"],
            key=key["id"],
        )
        self.held[tenant].append(known)

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def forget(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from([name for name in NAMES if self.held[name]]))
        gone = self.held[owner].pop()
        assert self.send(owner, "DELETE", f"/v1/users/{gone.user}", None).json()["turns"] == 1

    @precondition(lambda self: any(self.held.values()))
    @rule(data=st.data())
    def name_what_is_anothers(self, data: st.DataObject) -> None:
        owner = data.draw(st.sampled_from([name for name in NAMES if self.held[name]]))
        asker = data.draw(st.sampled_from([name for name in NAMES if name != owner]))
        theirs, nobodys = data.draw(st.sampled_from(self.held[owner])), Ids()
        if (asker, theirs) in self.named:  # the asker's own audit log knows that it was asked for before
            return
        self.named.add((asker, theirs))
        for of_theirs, of_nobody in zip(probes(theirs), probes(nobodys), strict=True):
            seen = self.send(asker, *of_theirs)
            assert shown(seen, theirs) == shown(self.send(asker, *of_nobody), nobodys), of_theirs
            assert f"The key of {owner}" not in seen.text
            type(self).compared += 1
        turn = f"/v1/memories/{theirs.turn}?user_id={theirs.user}&session_id={theirs.session}"
        assert self.send(owner, "GET", turn, None).status_code == 200, "nothing of it was changed"
        assert self.send(owner, "GET", f"/v1/decisions/{theirs.decision}", None).json()["feedback"] is None
        assert self.send(asker, "DELETE", f"/v1/users/{theirs.user}", None).json()["turns"] == 0

    def send(self, tenant: str, method: str, path: str, body: dict[str, Any] | None) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.keys[tenant]}"}
        return self.client.request(method, path, json=body, headers=headers)


@pytest.fixture
def machine(encoder: Encoder) -> Iterator[type[Apart]]:
    every_right = ["read", "write", "admin"]
    with (
        TemporaryDirectory() as folder,
        serving(Path(folder), encoder) as url,
        httpx.Client(base_url=url, timeout=60) as client,
    ):
        first = client.post("/v1/keys", json={"name": "operator", "rights": every_right}).json()["key"]
        asked = {"authorization": f"Bearer {first}"}
        Apart.client, Apart.compared = client, 0
        Apart.keys = {
            name: client.post(
                "/v1/keys", json={"name": name, "tenant": name, "rights": every_right}, headers=asked
            ).json()["key"]
            for name in NAMES
        }
        yield Apart


def play(machine: type[Apart], *, examples: int) -> None:
    case = machine.TestCase
    case.settings = settings(
        max_examples=examples, stateful_step_count=12, deadline=None, suppress_health_check=list(HealthCheck)
    )
    case("runTest").runTest()
    assert machine.compared > 17, "nothing was named, so this showed nothing"


@pytest.mark.slow
def test_what_is_anothers_is_as_what_does_not_exist(machine: type[Apart]) -> None:
    play(machine, examples=10)


@pytest.mark.long
@pytest.mark.parametrize("series", range(4))
def test_the_same_in_many_plays(machine: type[Apart], series: int) -> None:
    play(machine, examples=20)
