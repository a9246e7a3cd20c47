"""What a part is worth: every measure by itself, and what is compared with what."""

import pytest

from eval.evidence.ablation import NOTHING, SWITCHED_OFF, Judged, compare_parts

PART = SWITCHED_OFF[1]
KINDS = ("multi-hop", "single-hop") * 20


def judged(recall: float, *, said: float = 0.9, held: float = 0.5) -> Judged:
    """All multi-hop questions have this recall, the others all of it; an answer in five has no words.

    What is answerable is said to be so by `said`; contexts hold `held` of the answers' words.
    """
    return Judged(
        kinds=KINDS,
        recalls=(recall, 1.0) * 20,
        words=(held, held, held, held, None) * 8,
        truths=(True,) * 40 + (False,) * 10,
        whole_turn_words=(0.25,) * 40,
        probabilities=(said,) * 40 + (0.5,) * 10,
    )


def test_figures_are_given_by_kind_and_for_all() -> None:
    found = compare_parts({NOTHING: judged(0.5)}, budget=165)
    assert found is not None
    assert [*found.by_kind] == ["all", "multi-hop", "single-hop"]
    assert [one.n for one in found.by_kind.values()] == [40, 20, 20]
    assert [one.evidence_recall for one in found.by_kind.values()] == [0.75, 0.5, 1.0]
    assert [one.all_evidence_rate for one in found.by_kind.values()] == [0.5, 0.0, 1.0]
    assert {(one.answer_words, one.whole_turn_words) for one in found.by_kind.values()} == {(0.5, 0.25)}
    assert found.auroc == 1.0
    assert not found.parts


@pytest.mark.parametrize(
    ("without", "recall", "auroc", "answer_words"),
    [
        (judged(0.25), 0.125, 0.0, 0.0),
        (judged(0.5, said=0.1), 0.0, 1.0, 0.0),
        (judged(0.5, held=0.25), 0.0, 0.0, 0.25),
    ],
)
def test_a_part_that_only_one_of_the_measures_needs_earns_its_place(
    without: Judged, recall: float, auroc: float, answer_words: float
) -> None:
    found = compare_parts({NOTHING: judged(0.5), PART: without}, budget=165)
    assert found is not None
    [part] = found.parts
    assert part.auroc is not None
    assert part.answer_words is not None
    assert (part.evidence_recall.mean, part.auroc.mean, part.answer_words.mean) == (recall, auroc, answer_words)
    assert part.earned


@pytest.mark.parametrize("without", [judged(0.5), judged(0.75)])
def test_a_part_that_nothing_needs_does_not(without: Judged) -> None:
    found = compare_parts({NOTHING: judged(0.5), PART: without}, budget=165)
    assert found is not None
    assert not found.parts[0].earned


def test_there_is_nothing_to_compare_with_before_everything_was_judged() -> None:
    assert compare_parts({PART: judged(0.5)}, budget=165) is None


def test_a_set_without_unanswerable_questions_or_words_has_no_such_figures() -> None:
    bare = Judged(
        kinds=KINDS, recalls=(1.0,) * 40, words=(None,) * 40, truths=(True,) * 40, whole_turn_words=(None,) * 40
    )
    found = compare_parts({NOTHING: bare, PART: bare}, budget=165)
    assert found is not None
    assert (found.auroc, found.by_kind["all"].answer_words, found.by_kind["all"].whole_turn_words) == (None, None, None)
    assert (found.parts[0].auroc, found.parts[0].answer_words) == (None, None)


def test_the_tables_tell_the_figures() -> None:
    found = compare_parts({NOTHING: judged(0.5), PART: judged(0.5)}, budget=165)
    assert found is not None
    figures, parts = found.tables()
    assert figures.rows[:2] == [
        ("all", "40", "0.750", "0.500", "0.500", "0.250"),
        ("multi-hop", "20", "0.500", "0.000", "0.500", "0.250"),
    ]
    assert figures.caption == "AUROC of answerability 1.000"
    nothing = "+0.000 (+0.000 to +0.000)"
    assert parts.rows == [(PART, nothing, nothing, nothing, "not shown")]
