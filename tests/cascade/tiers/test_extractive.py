import pytest

from cascade import TimeSaid
from cascade.tiers.extractive import ExtractiveTier
from tests.support.briefs import brief, quote

GROUP = quote(1, "I went to a support group yesterday.", 1.0, TimeSaid(meaning="7 May 2023", grain="day"))
CAT = quote(2, "My cat is called Miso.", 0.8)


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("When did Caroline go to the support group?", "On 7 May 2023."),
        ("On what date was the support group?", "On 7 May 2023."),
        ("which day did she go?", "On 7 May 2023."),
        ("Where did Caroline go?", 'Caroline said on 8 May 2023: "I went to a support group yesterday."'),
    ],
)
async def test_it_quotes_or_dates_the_best_evidence(question: str, answer: str) -> None:
    draft = await ExtractiveTier().draft(brief(question, CAT, GROUP))
    assert draft
    assert (draft.answer, draft.citations) == (answer, (1,))


@pytest.mark.parametrize(
    ("meaning", "grain", "answer"),
    [
        ("June 2023", "month", "In June 2023."),
        ("2022", "year", "In 2022."),
        ("summer 2022", "season", "In summer 2022."),
        ("the week before 9 June 2023", "week", "In the week before 9 June 2023."),
        ("the weekend of 3 June 2023", "weekend", "On the weekend of 3 June 2023."),
    ],
)
async def test_a_date_is_as_exact_as_its_evidence(meaning: str, grain: str, answer: str) -> None:
    dated = quote(1, "...", 1.0, TimeSaid(meaning=meaning, grain=grain))  # type: ignore[arg-type]
    draft = await ExtractiveTier().draft(brief("When was it?", dated))
    assert draft
    assert draft.answer == answer


async def test_a_when_question_without_a_dated_line_names_the_day_of_telling() -> None:
    draft = await ExtractiveTier().draft(brief("When did she get the cat?", CAT))
    assert draft
    assert draft.answer == "It was told on 8 May 2023."


async def test_a_dated_line_of_little_relevance_is_not_the_answer() -> None:
    weak = quote(3, "See you tomorrow!", 0.1, TimeSaid(meaning="9 May 2023", grain="day"))
    draft = await ExtractiveTier().draft(brief("When did she get the cat?", CAT, weak))
    assert draft
    assert draft.citations == (2,)


async def test_a_question_is_no_answer() -> None:
    asking = quote(3, "What is the cat called?", 1.0)
    draft = await ExtractiveTier().draft(brief("What is the cat called?", asking, CAT))
    assert draft
    assert draft.citations == (2,)


async def test_without_evidence_it_says_nothing() -> None:
    assert await ExtractiveTier().draft(brief("When?")) is None
