"""Schemathesis against a server process, by the description that the server itself serves, for callers of every kind.

It makes requests that fit the description and requests that do not, one by one and in chains that use what earlier answers held.
No answer may be a fault of the server, nor say what the description does not: a status, a content type, a header, another shape.
What the callers may and may not see is checked on all that was answered.

The time is what is given, and the seed is fixed, so that two runs on one machine send nearly the same.
"""

import json
import subprocess
from base64 import b64decode
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.chat_server import answers, chat_server
from tests.support.server import COMMAND, environment, running

ROOT = Path(__file__).resolve().parent.parent.parent
SECONDS, LONG_SECONDS, SEED = 20, 300, 1
FEWEST = 25
CALLERS = ("keyless", "without", "read", "write", "foreign")
WORD = "swordfish-4711"
HARMLESS = "Under the stone."
CHECKS = [
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
    "unsupported_method",
    "allow_header_conformance",
]
# What is not in this list is wrong by the description: who calls without a key where none is made needs none.
WITH_A_KEY = ["negative_data_rejection", "ignored_auth"]
OPEN_PATHS = {"GET /healthz", "GET /readyz"}
READERS = {
    "GET /v1/users",
    "GET /v1/sessions",
    "GET /v1/memories",
    "GET /v1/memories/{turn_id}",
    "GET /v1/decisions",
    "GET /v1/decisions/{decision_id}",
    "GET /v1/stats",
    "GET /v1/feedback",
    "GET /v1/export",
    "POST /v1/recall",
    "POST /v1/context",
    "POST /v1/ask",
}
WRITERS = {"POST /v1/remember", "POST /v1/import", "DELETE /v1/users/{user_id}"}
# What must have been answered with what was asked for, at least once, in five minutes. In seconds a busy machine comes to less.
REACHED = {
    "keyless": READERS | WRITERS | {"GET /v1/tenants", "POST /v1/tenants", "PATCH /v1/tenants/{name}", "GET /v1/audit"},
    "without": OPEN_PATHS,
    "read": READERS,
    "write": WRITERS,
    "foreign": (READERS - {"GET /v1/memories/{turn_id}"})
    | WRITERS
    | {"POST /v1/keys", "GET /v1/keys", "GET /v1/audit"},
}


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """A server with a memory: where it is, the key of the caller (empty: none), and what names something there."""

    url: str
    key: str
    operator: str
    names: dict[str, list[str]]

    def export(self) -> bytes:
        """What the house holds, without its header."""
        headers = {"authorization": f"Bearer {self.operator}"} if self.operator else {}
        whole = httpx.get(f"{self.url}/v1/export", headers=headers, timeout=60)
        assert whole.status_code == 200
        return whole.content.split(b"\n", 1)[1]


@dataclass(slots=True)
class Seen:
    """What was answered: the statuses of each operation, and all bodies that hold the word that only u2 said."""

    statuses: defaultdict[str, Counter[int]] = field(default_factory=lambda: defaultdict(Counter))
    with_the_word: list[str] = field(default_factory=list)

    def take(self, label: str, response: dict[str, Any]) -> None:
        self.statuses[label][response["status_code"]] += 1
        body = b64decode((response["content"] or {}).get("$base64", ""))
        if WORD.encode() in body:
            self.with_the_word.append(label)

    @property
    def reached(self) -> set[str]:
        """The operations that did once what they are for."""
        return {label for label, statuses in self.statuses.items() if statuses.keys() & {200, 201}}


@contextmanager
def house(folder: Path, caller: str) -> Iterator[House]:
    """A server process with a local model, two users, an answered question, and keys unless the caller is `keyless`."""
    free = {f"TIRTHA_LOCAL_{kind}_USD_PER_MTOK": "0" for kind in ("INPUT", "OUTPUT")}
    with chat_server("local") as model:
        model.script = lambda request: answers(HARMLESS, 1)
        with (
            running(folder / "home", TIRTHA_LOCAL_URL=model.url, TIRTHA_LOCAL_MODEL="local", **free) as server,
            httpx.Client(base_url=server.url, timeout=60) as client,
        ):
            for user, text in (("u1", "The key is under the stone."), ("u2", f"The word is {WORD}.")):
                turns = [
                    {"id": "t1", "role": "user", "text": text},
                    {"id": "t2", "role": "assistant", "text": "Noted."},
                ]
                stored = client.post("/v1/remember", json={"user_id": user, "session_id": "s1", "turns": turns})
                assert stored.status_code == 201
            asked = client.post("/v1/ask", json={"user_id": "u1", "question": "Where is the key?", "session_id": "s1"})
            decision = asked.json()["decision_id"]
            assert client.post(f"/v1/decisions/{decision}/feedback", json={"correct": True}).status_code == 200
            (folder / "export.jsonl").write_bytes(client.get("/v1/export?user_id=u1").content)
            names = {"user_id": ["u1", "u2"], "session_id": ["s1"], "turn_id": ["t1", "t2"], "decision_id": [decision]}
            if caller == "keyless":
                yield House(url=server.url, key="", operator="", names=names)
                return
            every_right = ["read", "write", "admin"]
            operator = client.post("/v1/keys", json={"name": "operator", "rights": every_right}).json()["key"]
            wanted: dict[str, Any] = {"rights": [caller]} if caller != "foreign" else {"rights": every_right}
            made = client.post(
                "/v1/keys",
                json={"name": "fuzzing", "tenant": "other" if caller == "foreign" else "default"}
                | (wanted if caller != "without" else {}),
                headers={"authorization": f"Bearer {operator}"},
            ).json()
            key = "" if caller == "without" else made["key"]
            yield House(url=server.url, key=key, operator=operator, names=names | {"key_id": [made["id"]]})


def fuzz(house: House, folder: Path, caller: str, *, seconds: int, seed: int) -> Seen:
    """Send requests for so long, and return what was answered. Whatever Schemathesis finds fails here."""
    report, said = folder / "report.ndjson", folder / "said.txt"
    command = [str(Path(COMMAND).with_name("st"))]
    command += ["--config-file", str(configuration(house, folder)), "run", str(described(house, folder))]
    command += ["--url", house.url]
    command += ["--max-time", str(seconds), "--seed", str(seed), "--continue-on-failure", "--no-color"]
    command += ["--checks", ",".join([*CHECKS, *(WITH_A_KEY if house.key else [])])]
    command += ["--report", "ndjson", "--report-ndjson-path", str(report), "--generation-database", "none"]
    if caller == "keyless":
        # Once there is a key every request needs one, so this would be the last one that does anything.
        command += ["--exclude-operation-id", "create_v1_keys_post"]
    if house.key:
        command += ["--header", f"Authorization: Bearer {house.key}"]
    (folder / "kept_keys.json").write_text(json.dumps(house.names.get("key_id", [])), "utf-8")
    importable = environment(folder / "home", PYTHONPATH=str(ROOT))
    with said.open("w") as output:
        ended = subprocess.run(
            command, check=False, stdout=output, stderr=subprocess.STDOUT, env=importable, cwd=folder
        )
    assert ended.returncode == 0, said.read_text("utf-8")[-20_000:]
    return answered(report)


def described(house: House, folder: Path) -> Path:
    """Keep the server's description of itself in a file, for callers who are not given it."""
    headers = {"authorization": f"Bearer {house.operator}"} if house.operator else {}
    path = folder / "openapi.json"
    path.write_bytes(httpx.get(f"{house.url}/openapi.json", headers=headers).raise_for_status().content)
    return path


def configuration(house: House, folder: Path) -> Path:
    """Write how Schemathesis is configured: its hooks, and names of what there is, which it tries often."""
    lines = ['hooks = "tests.support.fuzzing"', "[cache]", "enabled = false"]
    for name, values in house.names.items():
        lines += [f"[dictionaries.{name}]", f"values = {json.dumps(values)}"]
    lines.append("[parameters]")
    lines += [
        f'"{place}.{name}" = {{ dictionary = "{name}", probability = 0.75 }}'
        for name in house.names
        for place in ("path", "query", "body")
    ]
    path = folder / "schemathesis.toml"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    return path


def answered(report: Path) -> Seen:
    """Read what was answered from a report of events, one a line."""
    seen = Seen()
    with report.open("rb") as lines:
        for line in lines:
            recorder = json.loads(line).get("ScenarioFinished", {}).get("recorder", {})
            cases = recorder.get("cases", {})
            for case_id, interaction in recorder.get("interactions", {}).items():
                case = cases[case_id]["value"]
                if interaction["response"] is not None:
                    seen.take(f"{case['method']} {case['path']}", interaction["response"])
    return seen


def play(folder: Path, caller: str, *, seconds: int, seed: int = SEED) -> Seen:
    with house(folder, caller) as opened:
        before = opened.export()
        seen = fuzz(opened, folder, caller, seconds=seconds, seed=seed)
        after = opened.export()
        headers = {"authorization": f"Bearer {opened.key}"} if opened.key else {}
        again = httpx.get(f"{opened.url}/v1/users", headers=headers)
    figures = ", ".join(f"{label} {dict(statuses)}" for label, statuses in sorted(seen.statuses.items()))
    print(f"\n{caller}: {sum(map(Counter.total, seen.statuses.values())):,} answers: {figures}")  # noqa: T201 - a figure
    assert sum(map(Counter.total, seen.statuses.values())) >= FEWEST, "hardly anything was asked"
    assert again.status_code == {"without": 401, "write": 403}.get(caller, 200), "the caller lost its key on the way"
    match caller:
        case "without":
            refused = {
                label: set(statuses)
                for label, statuses in seen.statuses.items()
                if not label.endswith(("/healthz", "/readyz"))
            }
            assert not {label: statuses for label, statuses in refused.items() if not statuses <= {400, 401}}
            assert (before, seen.with_the_word) == (after, [])
        case "read":
            assert turns(before) == turns(after)
            assert not [label for label in seen.reached if label.startswith(("DELETE", "PATCH", "POST /v1/remember"))]
        case "write":
            assert not seen.with_the_word
            assert not seen.reached & READERS
        case "foreign":
            assert (before, seen.with_the_word) == (after, [])
    return seen


def turns(export: bytes) -> list[bytes]:
    return [line for line in export.splitlines() if b'"kind":"turn"' in line]


@pytest.mark.parametrize("caller", CALLERS)
def test_the_server_keeps_to_its_description(caller: str, tmp_path: Path) -> None:
    play(tmp_path, caller, seconds=SECONDS)


@pytest.mark.long
@pytest.mark.parametrize("caller", CALLERS)
def test_the_server_keeps_to_its_description_for_long(caller: str, tmp_path: Path) -> None:
    seen = play(tmp_path, caller, seconds=LONG_SECONDS, seed=SEED + 1)
    assert seen.reached >= REACHED[caller], REACHED[caller] - seen.reached
