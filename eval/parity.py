"""Whether two checkouts behave the same: the same histories, the same questions, every answer compared field by field.

`python -m eval.parity BEFORE AFTER --locomo FILE --recordings FILE --to FILE.md`; `--help` names all options. Each checkout in
turn serves an empty data folder, remembers, and answers over HTTP; then it runs the recorded cascade from the command line.
Nothing of the project is imported, so that modules may lie anywhere. Values must be equal to the last digit. Contract changes that
are known are undone on the side before, and named. What is remembered goes in pieces, the next once the last is indexed, since
the last digits of a vector depend on what shares its batch. No text of what is remembered or asked is ever printed.

It does not know whether an answer is right. It does not see what needs a model (only the recorded cascade has tiers), the cache,
streams, forgetting, times, or what is asked while turns wait for the index. Exit status: 0 the same, 1 different, 2 no comparison.
"""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import perf_counter, sleep
from typing import Annotated, Any, TypeAlias

import httpx
import typer
from rich.console import Console
from rich.progress import track
from rich.table import Table
from rich.text import Text

__all__ = ["main"]

COMMAND = (sys.executable, "-c", "from tirtha.cli import app; app()")
BUDGETS, RECALLED, SHOWN = (165, 660), 50, 20
PIECE_TURNS = 256  # both the store and the indexer take as many at once, so that batches are the same in every run
WARM_UP_S = 3  # a scope comes into memory after its first question
POLL_S, STOP_S, TIMEOUT_S = 0.25, 30, 600
LOG, SAID_AT = "parity.log", "%I:%M %p on %d %B, %Y"
DECISION, HASHES, RECORDED, ADDED = "decision", "hashes", "recorded cascade", "added"
FEATURES, MODEL = "evidence[].signals", "tier"
NORMALISED = {
    FEATURES: "renamed: it is `features` now",
    MODEL: "it held the model's name, which is `model` now; the `tier` of the side after is compared with nothing",
}
DROPPED = {
    "decision_id": "an id, new for every request",
    "decided_at": "a time",
    "latency_ms": "a time, of answers and of calls",
}

Json: TypeAlias = "bool | int | float | str | list[Json] | dict[str, Json] | None"
Question: TypeAlias = tuple[str, dict[str, str]]  # its id, and the request
Answer: TypeAlias = tuple[int, Json]  # a status and what came with it; a recorded row with a fault has 500
MISSING: Answer = (0, None)


class NoComparison(Exception):
    """A checkout could not be asked; the message says why, and holds no text that was remembered."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """A history as lines of a bulk, and the questions asked of it, by id."""

    id: str
    turns: Sequence[Mapping[str, str]]
    asked: Mapping[str, str]

    def questions(self) -> list[Question]:
        """Return its questions, all asked a day after its last turn."""
        last = max(datetime.fromisoformat(turn["said_at"]) for turn in self.turns)
        owned = {"user_id": self.id, "asked_at": (last + timedelta(days=1)).isoformat()}
        return [(id_, owned | {"question": text}) for id_, text in self.asked.items()]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What a checkout answered, by kind and question, and the seconds that each part took."""

    folder: Path
    answers: dict[tuple[str, str], Answer]
    seconds: dict[str, float]

    @contextmanager
    def timed(self, part: str) -> Iterator[None]:
        """Note how long a part takes."""
        started_s = perf_counter()
        yield
        self.seconds[part] = perf_counter() - started_s


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """A field that is not the same: `how` is value, length, status, only before, only after or added; `gap` is of numbers."""

    field: str
    how: str
    gap: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One answer compared: whether it was an error, what is not the same, and what had to be normalised."""

    kind: str
    id: str
    error: bool
    found: frozenset[Difference]
    normalised: frozenset[str] = frozenset()

    @property
    def differs(self) -> bool:
        """Whether anything is not the same; what was only added does not count."""
        return any(one.how != ADDED for one in self.found)


def main(  # noqa: PLR0913 - Typer reads a command's options from its parameters
    before: Annotated[Path, typer.Argument(help="a checkout's folder")],
    after: Annotated[Path, typer.Argument(help="another's")],
    *,
    locomo: Annotated[Path | None, typer.Option(help="conversations to ask about too: locomo_dev.json")] = None,
    questions: Annotated[int, typer.Option(min=1, help="questions on them, spread evenly")] = 250,
    recordings: Annotated[Path | None, typer.Option(help="completions: humaneval_recorded.jsonl.gz")] = None,
    recording_limit: Annotated[int, typer.Option(min=1, help="only the first problems")] = 40,
    to: Annotated[Path | None, typer.Option(help="a Markdown file to write the report to")] = None,
) -> None:
    """Compare how two checkouts behave."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))  # so that servers are stopped on the way out
    sides = [Gathered(folder=one.resolve(), answers={}, seconds={}) for one in (before, after)]
    if not all((side.folder / "tirtha").is_dir() for side in sides):  # the one that is installed would answer for it
        raise typer.BadParameter("both must be checkouts of Tirtha")
    try:
        users = [_sample(before), *(_locomo(locomo, questions) if locomo else ())]
        for side in sides:
            _gather(side, users, recordings.resolve() if recordings else None, recording_limit)
    except (NoComparison, OSError, ValueError, KeyError, httpx.HTTPError) as fault:
        typer.echo(f"No comparison: {type(fault).__name__}: {fault}", err=True)
        raise typer.Exit(2) from None
    old, new = (side.answers for side in sides)
    findings = [one for key in old | new for one in _compare(*key, old.get(key, MISSING), new.get(key, MISSING))]
    differing = sum(one.differs for one in findings)
    verdict = f"{len(findings):,} comparisons, {differing or 'none'} different."
    tables = [table for table in _tables(sides, findings) if table.row_count]
    Console().print(*tables, verdict)
    if to:
        to.write_text("\n\n".join(["# Parity", verdict, *map(_markdown, tables)]) + "\n", "utf-8")
    raise typer.Exit(1 if differing else 0)


def _sample(checkout: Path) -> User:
    """Return the sample history of a checkout, with all its questions."""
    folder = checkout / "tirtha" / "sample"
    lines = (folder / "history.jsonl").read_text("utf-8").splitlines()
    asked = json.loads((folder / "questions.json").read_text("utf-8"))
    turns = [{"user_id": "sample", **json.loads(line)} for line in lines if line.strip()]
    return User(id="sample", turns=turns, asked={f"sample:{one['id']}": one["question"] for one in asked})


def _locomo(file: Path, count: int) -> list[User]:
    """Return the conversations of a LoCoMo file, with `count` of their questions, unanswerable ones too, spread evenly."""
    records: list[dict[str, Any]] = json.loads(file.read_text("utf-8"))
    ids = [f"{one['sample_id']}:{place}" for one in records for place in range(len(one["qa"]))]
    wanted = min(count, len(ids))
    chosen = {ids[number * len(ids) // wanted] for number in range(wanted)}
    return [_conversation(record, chosen) for record in records]


def _conversation(record: Mapping[str, Any], chosen: set[str]) -> User:
    user, said = record["sample_id"], record["conversation"]
    numbers = sorted(int(name.removeprefix("session_")) for name in said if re.fullmatch(r"session_\d+", name))
    starts = {n: datetime.strptime(said[f"session_{n}_date_time"], SAID_AT).replace(tzinfo=UTC) for n in numbers}
    turns = [
        {
            "user_id": user,
            "session_id": f"session_{number}",
            "id": turn["dia_id"],
            "role": "user",
            "speaker": turn["speaker"],
            "text": f"{turn['text']}\n[shows {shown}]" if (shown := turn.get("blip_caption")) else turn["text"],
            "said_at": at.isoformat(),
        }
        for number, at in starts.items()
        for turn in said[f"session_{number}"]
    ]
    asked = {f"{user}:{place}": one["question"] for place, one in enumerate(record["qa"])}
    return User(id=user, turns=turns, asked={id_: text for id_, text in asked.items() if id_ in chosen})


def _gather(side: Gathered, users: Sequence[User], recordings: Path | None, limit: int) -> None:
    """Ask a checkout everything, in a data folder of its own. Raises NoComparison."""
    questions = [question for user in users for question in user.questions()]
    console, name = Console(stderr=True), side.folder.name
    with tempfile.TemporaryDirectory(prefix="parity-") as folder:
        home = Path(folder)
        with _running(side.folder, home, "serve", "--port", "0") as server, _client(server, home) as client:
            with side.timed("remember"):
                for user in track(users, f"{name}: remember", console=console):
                    _remember(client, user)
            with side.timed("ask"):
                for id_, asked in track(questions, f"{name}: ask", console=console):
                    side.answers.update(((kind, id_), answer) for kind, answer in _ask(client, asked))
        if recordings:
            with side.timed(RECORDED):
                rows = _recorded(side.folder, home, recordings, limit)
                side.answers.update(((RECORDED, id_), row) for id_, row in rows)


def _remember(client: httpx.Client, user: User) -> None:
    """Remember a history piece by piece, each once the last is indexed, and bring it into memory. Raises NoComparison."""
    for start in range(0, len(user.turns), PIECE_TURNS):
        piece = user.turns[start : start + PIECE_TURNS]
        lines = "\n".join(json.dumps(turn) for turn in piece)
        response = client.post("/v1/remember", content=lines, headers={"content-type": "application/x-ndjson"})
        if response.is_error or response.json()["stored"] != len(piece):
            raise NoComparison(f"status {response.status_code}: turns of {user.id} from {start} on were not all stored")
        until_s = perf_counter() + TIMEOUT_S
        while client.get("/readyz").raise_for_status().json()["waiting"]:
            if perf_counter() > until_s:
                raise NoComparison(f"turns of {user.id} are not indexed after {TIMEOUT_S} s")
            sleep(POLL_S)
    for _, asked in user.questions()[:1]:
        client.post("/v1/context", json=asked)
        sleep(WARM_UP_S)


def _ask(client: httpx.Client, asked: dict[str, str]) -> Iterator[tuple[str, Answer]]:
    """Return the answers of every kind to one question; where there is no decision, it answers 404."""
    response = client.post("/v1/recall", json=asked | {"limit": RECALLED})
    yield "recall", (response.status_code, response.json())
    for budget in BUDGETS:
        response = client.post("/v1/context", json=asked | {"budget": budget})
        yield f"context {budget}", (response.status_code, response.json())
    response = client.post("/v1/ask", json=asked, headers={"cache-control": "no-store"})
    yield "ask", (response.status_code, response.json())
    response = client.get(f"/v1/decisions/{response.json().get('decision_id', 'none')}")
    yield DECISION, (response.status_code, response.json())


def _recorded(checkout: Path, home: Path, recordings: Path, limit: int) -> Iterator[tuple[str, Answer]]:
    """Return the rows of a run of the cascade over recordings, by file and sample, the last of each. Raises NoComparison."""
    run = home / "run"
    options = ("--recordings", str(recordings), "--limit", str(limit), "--run", str(run))
    with _running(checkout, home, "eval", "cascade", *options) as process:
        process.communicate()
    if process.returncode:
        raise NoComparison(f"the recorded cascade ended so: {(home / LOG).read_text()[-1_000:]}")
    for file in sorted(run.glob("*.jsonl")):
        for line in filter(str.strip, file.read_text("utf-8").splitlines()):
            row = json.loads(line)
            yield f"{file.stem}:{row['id']}", (500 if row.get("fault") else 200, row)


@contextmanager
def _running(checkout: Path, home: Path, *words: str) -> Iterator[subprocess.Popen[str]]:
    """Run a command of a checkout, stopped at the end; the caller's settings are left out, so that all are the defaults."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TIRTHA_")}  # noqa: TID251 - for a child
    env = kept | {"PYTHONPATH": str(checkout), "TIRTHA_HOME": str(home), "HF_HUB_OFFLINE": "1"}
    with (
        (home / LOG).open("w") as log,
        subprocess.Popen(  # noqa: S603 - of the checkouts that the caller names
            [*COMMAND, *words], cwd=checkout, env=env, stdout=subprocess.PIPE, stderr=log, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=STOP_S)
            except subprocess.TimeoutExpired:
                process.kill()


def _client(server: subprocess.Popen[str], home: Path) -> httpx.Client:
    """Return a client of a server, once it has said where it listens. Raises NoComparison."""
    for line in server.stdout or ():
        if found := re.search(r"listens on (\S+)", line):
            return httpx.Client(base_url=found[1], timeout=TIMEOUT_S)
    raise NoComparison(f"the server ended with {server.wait()}: {(home / LOG).read_text()[-1_000:]}")


def _compare(kind: str, id_: str, before: Answer, after: Answer) -> Iterator[Finding]:
    """Compare two answers; the hashes of a decision are a finding of their own."""
    error = max(before[0], after[0]) >= 400
    if before[0] != after[0]:
        status = Difference(field="(status)", how=f"{before[0]}, {after[0]}")
        yield Finding(kind=kind, id=id_, error=error, found=frozenset({status}))
        return
    old, new, normalised = _normalise(before[1], after[1])
    if kind == DECISION and not error and isinstance(old, dict) and isinstance(new, dict):
        hashes = _differences(old.pop(HASHES, {}), new.pop(HASHES, {}))
        yield Finding(kind=HASHES, id=id_, error=False, found=frozenset(hashes))
    yield Finding(kind=kind, id=id_, error=error, found=frozenset(_differences(old, new)), normalised=normalised)


def _normalise(before: Json, after: Json) -> tuple[Json, Json, frozenset[str]]:
    """Undo the contract changes that are known, where they are seen. Returns both sides and what was undone."""
    done: set[str] = set()
    if isinstance(before, dict) and isinstance(after, dict):
        old, new = before.get("evidence"), after.get("evidence")
        if isinstance(old, list) and _named(old, "signals") and _named(new, "features") and not _named(new, "signals"):
            before = before | {"evidence": [_renamed(one, "signals", "features") for one in old]}
            done.add(FEATURES)
        if "tier" in before and "model" not in before and "model" in after:
            before = _renamed(before, "tier", "model")
            after = {name: value for name, value in after.items() if name != "tier"}
            done.add(MODEL)
    return before, after, frozenset(done)


def _named(entries: Json, name: str) -> bool:
    return isinstance(entries, list) and any(isinstance(one, dict) and name in one for one in entries)


def _renamed(entry: Json, old: str, new: str) -> Json:
    return {new if name == old else name: value for name, value in entry.items()} if isinstance(entry, dict) else entry


def _differences(before: Json, after: Json, path: str = "", *, listed: bool = False) -> Iterator[Difference]:
    """Compare two values to the last digit, type included; what only the side after has is added, unless it is in a list."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in sorted((before.keys() | after.keys()) - DROPPED.keys()):
            at = f"{path}.{name}" if path else name
            if name in before and name in after:
                yield from _differences(before[name], after[name], at, listed=listed)
            else:
                yield Difference(field=at, how="only before" if name in before else "only after" if listed else ADDED)
    elif isinstance(before, list) and isinstance(after, list):
        if len(before) != len(after):
            yield Difference(field=f"{path}[]", how="length", gap=abs(len(before) - len(after)))
        for old, new in zip(before, after, strict=False):
            yield from _differences(old, new, f"{path}[]", listed=True)
    elif repr(before) != repr(after):
        numbers = [value for value in (before, after) if isinstance(value, int | float)]
        yield Difference(field=path or "(whole)", how="value", gap=max(numbers) - min(numbers) if numbers else 0.0)


def _tables(sides: Sequence[Gathered], findings: Sequence[Finding]) -> Iterator[Table]:
    """Return the tables of the report; those without rows say nothing."""
    took = [", ".join(f"{part} {seconds:.0f}" for part, seconds in side.seconds.items()) for side in sides]
    checkouts = [(str(side.folder), *_commit(side.folder), s) for side, s in zip(sides, took, strict=True)]
    yield _table("Checkouts, before and after", ("folder", "commit", "changes", "seconds"), checkouts)
    columns = ("kind", "compared", "identical", "different", "errors")
    yield _table("Answers", columns, [_counts(kind, findings) for kind in dict.fromkeys(one.kind for one in findings)])
    yield _fields("Fields that differ", findings, added=False)
    ids = list(dict.fromkeys(one.id for one in findings if one.differs))
    rows = [(id_, ", ".join(one.kind for one in findings if one.id == id_ and one.differs)) for id_ in ids[:SHOWN]]
    yield _table(f"Questions that differ, {len(rows)} of {len(ids):,}", ("question", "kinds"), rows)
    yield _fields("Added fields, which are no difference", findings, added=True)
    counts = {name: sum(name in one.normalised for one in findings) for name in NORMALISED}
    left_out = [(name, f"normalised in {counts[name]:,} answers", why) for name, why in NORMALISED.items()]
    left_out += [(name, "dropped", why) for name, why in DROPPED.items()]
    yield _table("Fields not compared as they are", ("field", "how", "why"), left_out)


def _commit(folder: Path) -> tuple[str, str]:
    """Return a checkout's commit and whether it has changes; takes no lock, since others may work there."""
    git = ["git", "--no-optional-locks", "-C", str(folder)]
    asked = ([*git, "rev-parse", "--short", "HEAD"], [*git, "status", "--porcelain"])
    commit, changes = (subprocess.run(one, capture_output=True, text=True, check=False).stdout.strip() for one in asked)  # noqa: S603
    return commit or "unknown", "yes" if changes else "no" if commit else "unknown"


def _counts(kind: str, findings: Sequence[Finding]) -> tuple[str, ...]:
    own = [one for one in findings if one.kind == kind]
    differing, errors = sum(one.differs for one in own), sum(one.error for one in own)
    return kind, *(f"{count:,}" for count in (len(own), len(own) - differing, differing, errors))


def _fields(title: str, findings: Sequence[Finding], *, added: bool) -> Table:
    """Return in how many answers each field differs, or is new, the most frequent first; at most so many as are shown."""
    seen: dict[tuple[str, str, str], dict[str, float]] = {}
    for finding in findings:
        for one in sorted(finding.found, key=lambda one: one.gap):  # the largest gap of an answer stays
            if (one.how == ADDED) == added:
                seen.setdefault((finding.kind, one.field, one.how), {})[finding.id] = one.gap
    ordered = sorted(seen, key=lambda key: (-len(seen[key]), key))
    rows = [(*key, f"{len(seen[key]):,}", f"{max(seen[key].values()):.3g}") for key in ordered[:SHOWN]]
    return _table(f"{title}, {len(rows)} of {len(seen):,}", ("kind", "field", "how", "answers", "largest gap"), rows)


def _table(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
    table = Table(*columns, title=title)
    for row in rows:
        table.add_row(*map(Text, row))
    return table


def _markdown(table: Table) -> str:
    columns = [[str(column.header), "---", *map(str, column.cells)] for column in table.columns]
    return f"## {table.title}\n\n" + "\n".join(f"| {' | '.join(row)} |" for row in zip(*columns, strict=True))


if __name__ == "__main__":
    typer.run(main)
