"""What is compared, what is said of it, and which questions count."""

from typing import Any

from eval.evidence.report import BUDGETS, OURS, EvidenceResults, EvidenceSample, Held


def held(evidence: float, words: float | None = None) -> Held:
    places = len(BUDGETS)
    held_words = () if words is None else (words,) * places
    return Held(
        first=evidence > 0,
        evidence=(evidence,) * places,
        words=held_words,
        contained=tuple(float(one == 1) for one in held_words),
        tokens=BUDGETS,
    )


def sample(kind: str, ours: Held, search: Held) -> EvidenceSample:
    return EvidenceSample(
        conversation="c", kind=kind, has_answer=True, by_session=False, answerable=0.75, raw_tokens=1_000,
        held={OURS: ours, "BM25, turns": search},
    )  # fmt: skip


def unanswerable(answerable: float) -> EvidenceSample:
    return EvidenceSample(
        conversation="c", kind="none", has_answer=False, by_session=False, answerable=answerable, raw_tokens=1_000
    )  # fmt: skip


def report(*samples: EvidenceSample) -> Any:
    return EvidenceResults(title="made up", samples=samples).report(errors=0)


def test_kinds_with_enough_questions_are_compared_and_losses_are_listed() -> None:
    many = [sample("many", held(0.25, 0.5), held(0.75, 0.5)) for _ in range(30)]
    few = [sample("few", held(1.0, 1.0), held(0.0, 0.0)) for _ in range(29)]
    found = report(*many, *few)
    compared = found.figures["against_the_best_search"]
    assert {one["kind"] for one in compared} == {"all", "many"}, "29 questions are too few"
    assert {(one["measure"], one["verdict"]) for one in compared if one["kind"] == "many"} == {
        ("evidence recall", "below"),
        ("answer words", "level"),
    }
    [losses] = [table for table in found.tables if table.title == "Where a plain search is better"]
    assert {row[0] for row in losses.rows} == {"many"}
    assert len(losses.rows) == len(BUDGETS)


def test_an_answer_without_words_counts_for_evidence_alone() -> None:
    found = report(sample("any", held(1.0), held(1.0)), sample("any", held(0.0, 1.0), held(0.0, 0.0)))
    [words] = [table for table in found.tables if table.title == "answer words, made up"]
    assert [row[1:4] for row in words.rows if row[0] == "any"] == [("1", OURS, "1.000"), ("1", "BM25, turns", "0.000")]
    [recall] = [table for table in found.tables if table.title == "evidence recall, made up"]
    assert [row[1:4] for row in recall.rows if row[0] == "any"] == [("2", OURS, "0.500"), ("2", "BM25, turns", "0.500")]


def test_answerability_is_judged_where_some_questions_have_no_answer() -> None:
    answered = sample("any", held(1.0, 1.0), held(1.0, 1.0))
    assert report(answered).figures["answerability"] is None
    judged = report(answered, unanswerable(0.25)).figures["answerability"]
    assert (judged["auroc"], judged["brier"]) == (1.0, 0.0625)
    assert report(answered, unanswerable(0.9)).figures["answerability"]["auroc"] == 0.0
