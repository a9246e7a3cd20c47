"""Live requests before indexing: who waits for whom. Facts of order only, no times."""

from threading import Event, Thread

import pytest

from memory.index.precedence import Precedence


def test_no_one_waits_where_no_one_is_live() -> None:
    Precedence().give_way()


def test_work_goes_on_after_the_last_live_request() -> None:
    precedence, inside, ended = Precedence(pause_for_work=1e9, longest_pause_s=60), Event(), Event()
    order: list[str] = []

    def ask() -> None:
        with precedence.live(), precedence.live():
            inside.set()
            ended.wait()
            order.append("answered")

    def work() -> None:
        inside.wait()
        precedence.give_way()
        order.append("worked")

    threads = [Thread(target=ask), Thread(target=work)]
    for thread in threads:
        thread.start()
    ended.set()
    for thread in threads:
        thread.join()
    assert order == ["answered", "worked"]


def test_work_is_never_held_up_for_good() -> None:
    precedence = Precedence()
    with precedence.live():  # as if one question followed another without a gap
        for _ in range(20):
            precedence.give_way()


def test_a_request_that_fails_is_over() -> None:
    precedence = Precedence(pause_for_work=1e9, longest_pause_s=3_600)
    with pytest.raises(ValueError, match="wrong"), precedence.live():
        raise ValueError("wrong")
    precedence.give_way()  # would wait for an hour
