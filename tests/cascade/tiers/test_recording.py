import asyncio
import json
import os
import threading
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from time import perf_counter

import pytest

from cascade import Cascade
from cascade.certificate import Labelled, certify, read_certificate, risk_bound, score_of
from cascade.decision import Hashes, Verdict
from cascade.errors import ChatFailed, Misconfigured, NoThreshold, NotRecorded
from cascade.guards import CitationGuard, FactsGuard
from cascade.model import ChatRequest, Message
from cascade.ports import Chat
from cascade.prompts import request_key
from cascade.tiers.deployment import Deployment
from cascade.tiers.recording import DecisionChat, RecordingChat, ReplayChat, read_recordings
from tests.support.briefs import brief, quote
from tests.support.tiers import DEAR, OneContext, Scripted, tier

ASK = ChatRequest(messages=(Message(role="user", content="Where?"),), max_tokens=50)
CONTEXTS = OneContext([brief("What is the cat called?", quote(2, "My cat is called Miso.", 0.8))])


def recorded(folder: Path) -> list[str]:
    return [line for file in sorted(folder.iterdir()) for line in file.read_text("utf-8").splitlines()]


async def test_what_is_recorded_is_answered_again_by_request_and_sample(tmp_path: Path) -> None:
    recording = RecordingChat(Scripted("first", "second"), model="m", folder=tmp_path)
    for sample in (0, 1):
        await recording.complete(replace(ASK, sample=sample), timeout_s=1)
    replay = ReplayChat(read_recordings(recorded(tmp_path)), model="m")
    assert [(await replay.complete(replace(ASK, sample=s), timeout_s=1)).text for s in (1, 0)] == ["second", "first"]


@pytest.mark.parametrize(
    "other",
    [
        replace(ASK, sample=7),
        replace(ASK, max_tokens=51),
        replace(ASK, temperature=0.1),
        replace(ASK, schema="{}"),
        replace(ASK, messages=()),
    ],
)
async def test_a_miss_is_an_error(tmp_path: Path, other: ChatRequest) -> None:
    await RecordingChat(Scripted("first"), model="m", folder=tmp_path).complete(ASK, timeout_s=1)
    recordings = read_recordings(recorded(tmp_path))
    with pytest.raises(NotRecorded):
        await ReplayChat(recordings, model="m").complete(other, timeout_s=1)
    with pytest.raises(NotRecorded):
        await ReplayChat(recordings, model="another").complete(ASK, timeout_s=1)


@pytest.mark.parametrize("cut", [b'{"key": "4f', b"{"])
async def test_what_is_recorded_after_a_line_that_a_kill_cut_is_whole(tmp_path: Path, cut: bytes) -> None:
    for before in (False, True):
        folder = tmp_path / str(before)
        folder.mkdir()
        day = folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
        if before:
            await RecordingChat(Scripted("first"), model="m", folder=folder).complete(ASK, timeout_s=1)
        with day.open("ab") as file:
            file.write(cut)
        await RecordingChat(Scripted("second"), model="m", folder=folder).complete(replace(ASK, sample=1), timeout_s=1)
        told = [one.completion.text for one in read_recordings(recorded(folder)).values()]
        assert told == (["first", "second"] if before else ["second"])


async def test_a_slow_disk_holds_up_no_other_request(tmp_path: Path) -> None:
    pipe = tmp_path / f"{datetime.now(UTC):%Y-%m-%d}.jsonl"
    os.mkfifo(pipe)  # opening it to write waits for a reader, as a stuck disk does
    reader = threading.Timer(0.5, pipe.read_bytes)
    reader.start()
    recording = asyncio.create_task(
        RecordingChat(Scripted("first"), model="m", folder=tmp_path).complete(ASK, timeout_s=1)
    )
    await asyncio.sleep(0.05)
    assert not recording.done(), "all else waited until the disk was done"
    assert (await recording).text == "first"
    await asyncio.to_thread(reader.join)


def test_a_key_does_not_depend_on_the_sample_and_on_everything_else() -> None:
    assert request_key("m", ASK) == request_key("m", replace(ASK, sample=3))
    assert request_key("m", ASK) != request_key("n", ASK)


async def test_a_recorded_decision_replays_byte_for_byte(tmp_path: Path) -> None:
    wrong, right = (json.dumps({"answer": answer, "citations": [2]}) for answer in ("Bella.", "Miso."))
    live = RecordingChat(Scripted(ChatFailed("server", "500"), wrong, wrong), model="local", folder=tmp_path)
    dear = RecordingChat(Scripted(right), model="frontier", folder=tmp_path)

    def cascade(local: Chat, frontier: Chat) -> Cascade:
        return Cascade(
            guards=(CitationGuard(), FactsGuard()),
            quote_guards=(),
            answerable_from=0.0,
            local=replace(tier(Scripted("")), deployments=[Deployment(local, name="a")]),
            frontier=replace(
                tier(Scripted(""), name="frontier", price=DEAR), deployments=[Deployment(frontier, name="b")]
            ),
        )

    decision = (await cascade(live, dear).answer(CONTEXTS, budget=165, started_s=perf_counter())).decision
    assert (decision.path, len(decision.calls)) == ("frontier", 4)
    recordings = read_recordings(recorded(tmp_path))
    again = cascade(
        *(DecisionChat(decision.calls, recordings, tier=name, model=name) for name in ("local", "frontier"))
    )
    replayed = (await again.answer(CONTEXTS, budget=165, started_s=perf_counter())).decision
    assert replayed.timeless() == decision.timeless()


HASHES = Hashes(policy="p", prompts="q", guards="g", models="m")


def items(right: int, wrong: int, score: float) -> list[Labelled]:
    return [Labelled(score=score, correct=correct) for correct, n in ((True, right), (False, wrong)) for _ in range(n)]


@pytest.mark.parametrize(
    ("accepted", "wrong", "bound"),
    [(59, 0, 0.05), (153, 3, 0.05), (149, 0, 0.02), (299, 0, 0.01)],
)
def test_the_bound_is_clopper_and_pearsons(accepted: int, wrong: int, bound: float) -> None:
    assert risk_bound(wrong, accepted) <= bound < risk_bound(wrong, accepted - 1)
    assert risk_bound(3, 3) == 1.0


def test_the_lowest_threshold_that_holds_the_risk_is_certified() -> None:
    labelled = items(100, 0, 0.9) + items(100, 2, 0.7) + items(10, 10, 0.5)
    made = certify(labelled, risk=0.05, hashes=HASHES, labels_sha256="x", made_on=date(2026, 1, 1))
    assert (made.threshold, made.accepted, made.wrong) == (0.7, 202, 2)
    assert made.bound <= 0.05
    with pytest.raises(NoThreshold, match="at least 59"):
        certify(items(30, 0, 0.9), risk=0.05, hashes=HASHES, labels_sha256="x", made_on=date(2026, 1, 1))
    with pytest.raises(NoThreshold, match="no threshold"):
        certify(items(100, 50, 0.9), risk=0.05, hashes=HASHES, labels_sha256="x", made_on=date(2026, 1, 1))


def test_a_certificate_speaks_only_of_what_it_was_made_with() -> None:
    made = certify(items(100, 0, 0.9), risk=0.05, hashes=HASHES, labels_sha256="x", made_on=date(2026, 1, 1))

    def status(score: float, live: Hashes) -> str:
        return made.verdict(live, [Verdict(guard="support", status="pass", score=score, reason="")]).status

    assert status(0.9, HASHES) == status(0.95, replace(HASHES, policy="other")) == "pass"
    assert status(0.8, HASHES) == "fail"
    for part in ("prompts", "guards", "models"):
        assert status(0.9, replace(HASHES, **{part: "other"})) == "error"


async def test_without_a_fitting_certificate_the_cheap_tier_escalates() -> None:
    right = json.dumps({"answer": "Miso.", "citations": [2]})
    stale = certify(items(100, 0, 0.9), risk=0.05, hashes=HASHES, labels_sha256="x", made_on=date(2026, 1, 1))
    own = Cascade(
        guards=(CitationGuard(),),
        quote_guards=(),
        answerable_from=0.0,
        local=tier(Scripted(right)),
        frontier=tier(Scripted(right), name="frontier", price=DEAR),
        certificate=stale,
    )
    decision = (await own.answer(CONTEXTS, budget=165, started_s=perf_counter())).decision
    assert decision.path == "frontier"
    fitting = replace(own, certificate=replace(stale, hashes=own.hashes))
    assert (await fitting.answer(CONTEXTS, budget=165, started_s=perf_counter())).decision.path == "local"


def test_a_certificate_that_cannot_be_read_names_its_setting(tmp_path: Path) -> None:
    for content in (None, "{}"):
        file = tmp_path / "certificate.json"
        if content:
            file.write_text(content)
        with pytest.raises(Misconfigured, match="certificate"):
            read_certificate(file)


def test_a_certificate_is_over_the_probability_of_being_right() -> None:
    assert score_of({"facts": 1.0, "answerability": 0.3, "correctness": 0.8}) == 0.8
    assert score_of({"facts": 1.0, "answerability": 0.3}) == 0.3, "of decisions made before there was one"
    assert score_of({}) == 0.0
