"""Intervals: Wilson's, paired differences, AUROC; and calibration."""

import pytest

from eval.harness.intervals import (
    Interval,
    auroc_difference,
    bounds,
    calibration,
    paired_difference,
    share_bounds,
    wilson,
)


def test_wilson_is_wilsons() -> None:
    assert wilson(155, 164) == pytest.approx((0.899, 0.971), abs=0.001)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_every_report_writes_an_interval_alike() -> None:
    assert share_bounds(9, 10) == bounds(*wilson(9, 10)) == "0.596 to 0.982"
    assert share_bounds(0, 0) == "-"
    assert Interval(mean=0.01, low=-0.012, high=0.034).bounds == "-0.012 to +0.034"


def test_an_interval_separates_a_difference_from_noise() -> None:
    better = paired_difference([1.0] * 30 + [0.0] * 70, [0.0] * 100)
    assert better.mean == pytest.approx(0.3)
    assert 0.2 < better.low < better.mean < better.high < 0.4
    noise = paired_difference([1.0, 0.0] * 50, [0.0, 1.0] * 50)
    assert noise.low < 0 < noise.high


def test_the_same_questions_have_the_same_interval_and_one_question_has_none() -> None:
    ours, theirs = [0.1, 0.9, 0.4, 0.7], [0.3, 0.2, 0.4, 0.1]
    assert paired_difference(ours, theirs) == paired_difference(ours, theirs)
    one = paired_difference([0.75], [0.5])
    assert (one.mean, one.low, one.high) == (0.25, 0.25, 0.25)


def test_the_auroc_of_the_better_of_two_is_higher_beyond_its_interval() -> None:
    truths = [True, False] * 100
    good = [float(truth) + (n % 7) / 5 for n, truth in enumerate(truths)]
    found = auroc_difference(good, [0.5] * 200, truths)
    assert found.low > 0.2
    assert auroc_difference(good, good, truths).mean == 0
    bad = [-one for one in good]
    assert auroc_difference(good, bad, truths).mean == pytest.approx(2 * found.mean)


def test_resamples_of_one_kind_have_no_auroc() -> None:
    found = auroc_difference([0.9, 0.1, 0.2], [0.1, 0.9, 0.8], [True, False, False])
    assert (found.mean, found.low, found.high) == (1.0, 1.0, 1.0), "a third of the resamples hold nothing true"


def test_calibration_needs_both_kinds() -> None:
    assert calibration([0.5, 0.6], [True, True]) is None
    judged = calibration([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert judged is not None
    assert judged.auroc == 1.0
    assert judged.brier < judged.brier_of_base_rate
    assert sum(one.n for one in judged.bins) == 4
