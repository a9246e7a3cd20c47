"""What a part is worth is a mean over fits: one fit's luck is not a part's worth."""

import pytest

from eval.locomo.ablation import NOTHING, SWITCHED_OFF, Judged, compare_parts

PART = SWITCHED_OFF[1]
KINDS = ("multi-hop", "single-hop") * 20 + ("adversarial",) * 10


def judged(recall: float, *, said: float = 0.9, told: float = 0.5) -> Judged:
    """All multi-hop questions have this recall, the others all of it.

    What is answerable is said to be so by `said`; contexts tell `told` of the answers' words.
    """
    return Judged(
        kinds=KINDS,
        recalls=(recall, 1.0) * 20,
        words=(told,) * 40,
        whole_turn_words=(0.25,) * 40,
        probabilities=(said,) * 40 + (0.5,) * 10,
    )


def test_figures_are_given_fit_by_fit_and_in_the_mean() -> None:
    found = compare_parts({NOTHING: {1: judged(0.5), 2: judged(1.0)}}, budget=165)
    assert found is not None
    assert [fit.by_kind["multi-hop"] for fit in found.fits.values()] == [0.5, 1.0]
    assert [fit.all_evidence_rate for fit in found.fits.values()] == [0.5, 1.0]
    assert (found.mean.evidence_recall, found.mean.by_kind, found.mean.all_evidence_rate) == (
        0.875,
        {"multi-hop": 0.75, "single-hop": 1},
        0.75,
    )
    assert (found.mean.answer_words, found.mean.whole_turn_words, found.mean.auroc) == (0.5, 0.25, 1.0)
    assert found.n == 40


def test_what_one_fit_wins_and_the_next_loses_is_worth_nothing() -> None:
    full = {1: judged(0.5), 2: judged(0.5)}
    lucky = compare_parts({NOTHING: full, PART: {1: judged(0.25), 2: judged(0.75)}}, budget=165)
    assert lucky is not None
    [part] = lucky.parts
    assert (part.evidence_recall.mean, part.by_fit, part.earned) == (0.0, {1: 0.125, 2: -0.125}, False)
    steady = compare_parts({NOTHING: full, PART: {1: judged(0.25), 2: judged(0.25)}}, budget=165)
    assert steady is not None
    assert steady.parts[0].evidence_recall.mean == 0.125
    assert steady.parts[0].earned


@pytest.mark.parametrize(
    ("without", "auroc", "answer_words"), [(judged(0.5, said=0.1), 1.0, 0.0), (judged(0.5, told=0.25), 0.0, 0.25)]
)
def test_a_part_that_only_one_of_the_measures_needs_earns_its_place(
    without: Judged, auroc: float, answer_words: float
) -> None:
    full = judged(0.5)
    found = compare_parts({NOTHING: {1: full, 2: full}, PART: {1: without, 2: without}}, budget=165)
    assert found is not None
    [part] = found.parts
    assert part.auroc is not None
    assert part.answer_words is not None
    assert (part.auroc.mean, part.answer_words.mean, part.evidence_recall.mean) == (auroc, answer_words, 0.0)
    assert part.earned


def test_a_part_is_compared_over_the_fits_that_it_was_judged_for() -> None:
    """A run that was broken off has judged some parts for fewer seeds."""
    full = {1: judged(0.5), 2: judged(1.0)}
    found = compare_parts({NOTHING: full, PART: {2: judged(0.5)}}, budget=165)
    assert found is not None
    assert found.parts[0].evidence_recall.mean == 0.25
    assert compare_parts({PART: {1: judged(0.5)}}, budget=165) is None, "nothing to compare with"


def test_the_tables_tell_the_fits_apart() -> None:
    found = compare_parts(
        {NOTHING: {1: judged(0.5), 2: judged(1.0)}, PART: {1: judged(0.5), 2: judged(1.0)}}, budget=165
    )
    assert found is not None
    fits, parts = (table.rows for table in found.tables())
    assert fits[0] == ("seed 1", "0.750", "0.500", "-", "-", "1.000", "0.500", "0.500", "0.250", "1.000")
    assert fits[2][:3] == ("mean", "0.875", "0.750")
    nothing = "0.000 (0.000 to 0.000)"
    assert parts == [(PART, nothing, "0.000, 0.000", nothing, nothing, "not shown")]
