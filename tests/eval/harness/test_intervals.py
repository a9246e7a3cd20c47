"""Intervals: Wilson's, paired differences, AUROC; and calibration."""

import pytest

from eval.harness.intervals import auroc_difference, calibration, paired_difference, wilson


def test_wilson_is_wilsons() -> None:
    assert wilson(155, 164) == pytest.approx((0.899, 0.971), abs=0.001)
    assert wilson(0, 10)[0] == 0
    assert wilson(10, 10)[1] == pytest.approx(1)


def test_an_interval_tells_a_difference_from_noise() -> None:
    better = paired_difference([1.0] * 30 + [0.0] * 70, [0.0] * 100)
    assert better.mean == pytest.approx(0.3)
    assert 0.2 < better.low < better.mean < better.high < 0.4
    assert better.excludes_zero
    assert not paired_difference([1.0, 0.0] * 50, [0.0, 1.0] * 50).excludes_zero


def test_the_auroc_of_the_better_of_two_is_higher_beyond_its_interval() -> None:
    truths = [True, False] * 100
    good = [float(truth) + (n % 7) / 5 for n, truth in enumerate(truths)]
    found = auroc_difference(good, [0.5] * 200, truths)
    assert found.low > 0.2
    assert auroc_difference(good, good, truths).mean == 0
    bad = [-one for one in good]
    assert auroc_difference(good, bad, truths).mean == pytest.approx(2 * found.mean)


def test_calibration_needs_both_kinds() -> None:
    assert calibration([0.5, 0.6], [True, True]) is None
    judged = calibration([0.1, 0.2, 0.8, 0.9], [False, False, True, True])
    assert judged is not None
    assert judged.auroc == 1.0
    assert judged.brier < judged.brier_of_base_rate
    assert sum(one.n for one in judged.bins) == 4
