"""The fit of the score over drafts: it finds what separates right from wrong, and lets no feature speak the wrong way."""

import json
from pathlib import Path
from random import Random

import numpy as np
import pytest

from eval.drafts.labelled import Labelled, write_labelled
from eval.training.correctness import fit, held_out, judged, lowest_threshold, main


def draft(n: int, *, right: bool, random: Random, use: str = "fitting", **changed: object) -> Labelled:
    """A draft whose `score` shows whether it is right, whose `echo` says the opposite of what it is meant to, and no more."""
    fields: dict[str, object] = {
        "set": ("sample", "dialogues")[n % 2],
        "use": use,
        "conversation": f"c{n % 6}",
        "question": f"c{n % 6}:{n}",
        "kind": "fact",
        "answerable": True,
        "model": "small.gguf",
        "path": "first",
        "answer_sha256": "0",
        "abstains": False,
        "right": right,
        "f1": float(right),
        "contained": right,
        "statuses": {"finish": "pass"},
        "features": {"certainty": right + random.gauss(0, 0.5), "echo": right + random.gauss(0, 0.5)},
        "prompt_tokens": 1,
        "completion_tokens": 1,
        "cached_tokens": 0,
        "seconds": 0.1,
    }
    return Labelled(**(fields | changed))  # type: ignore[arg-type]


@pytest.fixture
def drafts() -> list[Labelled]:
    random = Random(1)  # noqa: S311 - to be the same again
    return [draft(n, right=n % 3 == 0, random=random) for n in range(120)]


def test_what_separates_right_from_wrong_is_weighed(drafts: list[Labelled]) -> None:
    score = fit(drafts, strength=0.01).score(0.5)
    assert score.weights["certainty"] > 1
    assert "echo" not in score.weights, "more of it may only speak against a draft"


def test_probabilities_of_drafts_not_seen_are_calibrated(drafts: list[Labelled]) -> None:
    likely = held_out(drafts, lambda rows: fit(rows, strength=0.01))
    right = np.array([row.right for row in drafts], dtype=float)
    assert likely.mean() == pytest.approx(right.mean(), abs=0.05)
    assert likely[right == 1].mean() > likely[right == 0].mean() + 0.2


def test_a_draft_that_lacks_a_feature_is_judged_by_the_others(drafts: list[Labelled]) -> None:
    score = fit(drafts, strength=0.01).score(0.5)
    share = sum(row.right for row in drafts) / len(drafts)
    assert score.probability({}) == pytest.approx(share, abs=0.15)


def test_hard_guards_come_first(drafts: list[Labelled]) -> None:
    random = Random(2)  # noqa: S311 - likewise
    stopped = draft(1, right=False, random=random, statuses={"polarity": "fail"})
    silent = draft(1, right=False, random=random, abstains=True, features={})
    second = draft(1, right=False, random=random, path="second")
    assert judged([*drafts[:2], stopped, silent, second]) == drafts[:2]


def test_the_threshold_is_the_lowest_that_keeps_the_share() -> None:
    likely = np.linspace(1, 0, 40)
    right = np.array([1.0] * 15 + [0.0] * 25)
    assert lowest_threshold(right, likely, 0.75) == pytest.approx(likely[19])
    assert lowest_threshold(np.zeros(40), likely, 0.75) == 0.75, "where nothing reaches it, the probability itself"


def test_the_score_is_written_with_its_card(drafts: list[Labelled], tmp_path: Path) -> None:
    random = Random(3)  # noqa: S311 - likewise
    tested = [draft(n, right=n % 2 == 0, random=random, set="locomo", use="testing") for n in range(20)]
    write_labelled([*drafts, *tested], tmp_path / "rows.jsonl")
    main(tmp_path / "rows.jsonl", out=tmp_path / "score.json")
    card = json.loads((tmp_path / "score.json").read_text("utf-8"))["card"]
    assert card["data"] == {name: {"licence": "our own", "drafts": 60, "right": 20} for name in ("dialogues", "sample")}
    assert card["held_out_by_conversation"]["auc"] > 0.7
