import pytest

from language import DateSaid, analyse
from language.dates import blank_dates


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("7 May 2023", [(2023, 5, 7)]),
        ("the 3rd of June, 2022", [(2022, 6, 3)]),
        ("Sept. 4", [(None, 9, 4)]),
        ("March 2021 and 2019", [(2021, 3, None), (2019, None, None)]),
        ("2023-05-07", [(2023, 5, 7)]),
        ("in May", [(None, 5, None)]),
        ("you may go", []),
        ("Jan 2023 or January of 2018", [(2023, 1, None), (2018, 1, None)]),
        ("May 2105", [(2105, 5, None)]),
        ("I ran 2100 metres on 45 May, 1234-56-78", []),
        ("2023-05-08T13:56", [(2023, 5, 8)]),
    ],
)
def test_dates(text: str, found: list[tuple[int | None, int | None, int | None]]) -> None:
    assert analyse(text).dates == tuple(DateSaid(*one) for one in found)


def test_a_date_covers_a_more_exact_one() -> None:
    day = DateSaid(2023, 5, 7)
    assert DateSaid(2023, None, None).covers(day)
    assert DateSaid(None, 5, 7).covers(day)
    assert not day.covers(DateSaid(2023, 5, None))
    assert not DateSaid(2022, None, None).covers(day)


def test_dates_are_blanked_whole() -> None:
    assert blank_dates("We met on 7 May 2023 and in 2024.").split() == "We met on and in .".split()
