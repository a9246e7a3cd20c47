from dataclasses import replace

import pytest

from cascade import Quote, TimeSaid
from cascade.tiers.extractive import ExtractiveTier
from language import analyse
from tests.support.briefs import MAY_8, brief, quote

MAY_7 = TimeSaid(meaning="7 May 2023", grain="day")
GROUP = quote(1, "I went to a support group yesterday.", 1.0, MAY_7)
CAT = quote(2, "My cat is called Miso.", 0.8)


def line(text: str, score: float = 1.0, n: int = 1) -> Quote:
    """Return a quote with the times that its text tells."""
    times = (TimeSaid(meaning=time.meaning, grain=time.grain) for time in analyse(text, MAY_8.date()).times)
    return quote(n, text, score, *times)


async def answered(question: str, *quotes: Quote) -> tuple[str, tuple[int, ...]] | None:
    draft = await ExtractiveTier().draft(brief(question, *quotes))
    return (draft.answer, draft.citations) if draft else None


def dated(told: Quote) -> str:
    text = analyse(told.text, MAY_8.date()).dated_text
    return f'Caroline said on 8 May 2023: "{text}"'


def said(*quotes: Quote) -> str:
    return "\n".join(f'Caroline said on 8 May 2023: "{quote.text}"' for quote in quotes)


@pytest.mark.parametrize(
    "question",
    [
        "When did Caroline go to the support group?",
        "On what date was the support group?",
        "which day did she go to the group?",
    ],
)
async def test_it_gives_the_date_of_the_line_that_speaks_of_it(question: str) -> None:
    assert await answered(question, CAT, GROUP) == ("On 7 May 2023.", (1,))


async def test_what_is_not_asked_for_a_date_is_quoted() -> None:
    assert await answered("Which group did Caroline go to?", GROUP) == (said(GROUP), (1,))


GYMS = [line(f"My locker at gym {gym} has the code {7 * gym + 11}.", 0.5 - gym / 10, n=gym + 1) for gym in range(4)]


async def test_of_lines_about_several_the_one_of_the_number_asked_for_is_quoted() -> None:
    assert await answered("What is the code of my locker at gym 2?", *GYMS) == (said(GYMS[2]), (3,))
    without = await answered("What is the code of my locker at gym 9?", *GYMS)
    assert without, "none is of that number: which of them is meant is for the guards to say"
    assert without[1] == (1, 2, 3)


@pytest.mark.parametrize("question", ["Which of my 3 cats is the oldest?", "What did my cats do in 2022?"])
async def test_a_number_that_names_nothing_leaves_out_no_line(question: str) -> None:
    cats = [line("My 3 cats came in 2022.", 0.5), line("The oldest of my cats is Miso, who is 12.", 0.4, n=2)]
    told = await answered(question, *cats)
    assert told
    assert told[1] == (1, 2)


async def test_a_line_without_numbers_stays_beside_the_one_with_the_number_asked_for() -> None:
    beside = line("The locker is next to the window.", 0.4, n=9)
    assert await answered("Where is locker 12?", line("Locker 12 is in the hall.", 0.5), beside) == (
        said(line("Locker 12 is in the hall."), beside),
        (1, 9),
    )


@pytest.mark.parametrize(
    "told",
    ["I bought my own potter's wheel!", "I bought my own potter's wheel ten days ago.", "A wheel was it, in May."],
)
async def test_how_much_is_not_answered_by_a_line_without_a_number(told: str) -> None:
    price = line("The wheel cost me 180 pounds.", 0.3, n=2)
    assert await answered("How much did my wheel cost?", line(told)) is None
    assert await answered("How much did my wheel cost?", line(told), price) == (said(price), (2,))


async def test_when_is_answered_with_the_best_line_alone_if_that_tells_a_time() -> None:
    fetched, later = line("I picked her up the day before yesterday."), line("The cat slept all Friday.", 0.8, n=2)
    assert await answered("When did I bring my cat home?", fetched, later) == (dated(fetched), (1,))


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
    assert await answered("When was it?", dated) == (answer, (1,))


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("When is the meeting?", "The meeting is at 10:30 a.m. with Dr. Mbeki."),
        ("When is the meeting?", "The meeting is on 05/04/2026."),  # 5 April, or 4 May
        ("When is the fair?", "The fair runs from the 20th to the 25th."),
        ("When is the fair?", "The fair runs from 20 to 25 May."),
        ("When is the fair?", "The fair is on Saturday week."),
        ("When did Caroline fly to Rome?", "I flew to Rome in 2019 and again in 2021."),  # two times
        ("When was Caroline born?", "I was born on 3 May."),  # of which year?
        ("When did Caroline paint the fence?", "I painted the fence in two days."),  # how long it took
        ("When did Caroline get the cat?", "My cat is called Miso."),
    ],
)
async def test_a_line_that_does_not_tell_one_date_is_quoted_for_a_when_question(question: str, text: str) -> None:
    assert await answered(question, line(text)) == (dated(line(text)), (1,))


@pytest.mark.parametrize("question", ["When did Caroline get the cat?", "When?", "What date is it?"])
async def test_the_day_of_telling_is_never_given_as_the_date(question: str) -> None:
    answer = await answered(question, CAT)
    assert answer
    assert answer[0] == said(CAT)


async def test_of_two_lines_the_one_with_a_date_answers() -> None:
    undated = quote(3, "The support group was wonderful.", 1.0)
    assert await answered("When was the support group?", undated, line("The support group was yesterday.", 0.7)) == (
        "On 7 May 2023.",
        (1,),
    )


@pytest.mark.parametrize(
    ("text", "score", "gives_it"),
    [
        ("The vet examines the cat Miso tomorrow.", 1.0, True),
        ("The vet examines the cat Miso tomorrow.", 0.61, True),
        ("The vet examines the cat Miso tomorrow.", 0.59, False),  # too little relevant
        ("I see a dentist tomorrow!", 1.0, False),  # shares no word that is asked about
    ],
)
async def test_a_date_is_not_taken_from_a_line_about_something_else(text: str, score: float, *, gives_it: bool) -> None:
    best = quote(2, "The vet was here for my cat Miso.", 1.0)
    answer = await answered("When does the vet examine the cat Miso?", best, line(text, score))
    assert answer
    assert (answer[0] == "On 9 May 2023.") == gives_it
    assert answer[1][0] == (1 if gives_it else 2)


async def test_a_date_needs_a_third_of_the_words_asked_about() -> None:
    sleeps = line("The cat sleeps well since yesterday.")
    assert await answered("When did the cat fall?", sleeps) == ("On 7 May 2023.", (1,))
    assert await answered("When did the vet examine the cat Miso?", sleeps) == (
        'Caroline said on 8 May 2023: "The cat sleeps well since yesterday (7 May 2023)."',
        (1,),
    )


@pytest.mark.parametrize(
    ("question", "text", "gives_it"),
    [
        ("When did Caroline buy her first cat?", "I bought a cat yesterday.", False),  # it may be the second one
        ("When did Caroline buy her first cat?", "I bought my first cat yesterday.", True),
        ("When did Caroline last see the cat?", "I saw the cat yesterday.", False),
        ("On what date was the latest cat show?", "The cat show was yesterday.", False),
        ("When did Caroline buy her second cat?", "I bought my SECOND cat yesterday.", True),
        ("When did Caroline buy her first cat?", "I bought a cat firstly for mice, yesterday.", False),
    ],
)
async def test_which_time_is_asked_for_is_told_by_a_line_that_counts(
    question: str, text: str, *, gives_it: bool
) -> None:
    answer = await answered(question, line(text))
    assert answer == (("On 7 May 2023.", (1,)) if gives_it else (dated(line(text)), (1,)))


async def test_a_line_quoted_for_a_date_shows_the_times_that_it_speaks_of() -> None:
    two = line("I flew to Rome yesterday and I fly again tomorrow.")
    assert await answered("When did Caroline fly to Rome?", two) == (
        'Caroline said on 8 May 2023: "I flew to Rome yesterday (7 May 2023) and I fly again tomorrow (9 May 2023)."',
        (1,),
    )
    assert await answered("Where did Caroline fly?", two) == (said(two), (1,))


@pytest.mark.parametrize(("scores", "cited"), [([1.0, 0.9, 0.8, 0.7], (1, 2, 3)), ([1.0, 0.21, 0.19], (1, 2))])
async def test_it_quotes_up_to_three_lines_of_some_relevance(scores: list[float], cited: tuple[int, ...]) -> None:
    quotes = [quote(n, f"My cat is called Miso {n}.", score) for n, score in enumerate(scores, 1)]
    assert await answered("What is the cat called?", *reversed(quotes)) == (said(*quotes[: len(cited)]), cited)


async def test_a_row_of_a_table_is_quoted_under_its_header_once() -> None:
    header = quote(1, "| name | rent |", 0.9)
    row = replace(quote(2, "| Bo | 1,100 |", 1.0), header=header.text, turn_id=header.turn_id)
    expected = 'Caroline said on 8 May 2023: "| name | rent |\n| Bo | 1,100 |"'
    assert await answered("What is the rent of Bo?", header, row) == (expected, (2,))
    assert await answered("What is the rent?", header) == (said(header), (1,))


async def test_a_question_stands_behind_the_lines_that_tell_something() -> None:
    asking = quote(3, "What is the cat called?", 1.0)
    assert await answered("What is the cat called?", asking, CAT) == (said(CAT, asking), (2, 3))


@pytest.mark.parametrize(
    ("question", "quotes"),
    [
        ("When?", ()),
        ("Which violin does Caroline play?", (GROUP, CAT)),
        ("When did Caroline buy the violin?", (GROUP, CAT)),  # no date of another thing
        (
            "Does Caroline own a violin?",
            (quote(1, "Caroline is my name.", 1.0),),
        ),  # who speaks is not what is asked about
    ],
)
async def test_without_a_line_about_it_it_says_nothing(question: str, quotes: tuple[Quote, ...]) -> None:
    assert await answered(question, *quotes) is None


@pytest.mark.parametrize(
    "text",
    ["I flew to Rome in 2019, and the meeting is at 9.", "The meeting is on Monday at 9; last year it was in June."],
)
async def test_the_date_of_another_clause_is_not_the_answer(text: str) -> None:
    assert await answered("When is the meeting?", line(text)) == (dated(line(text)), (1,))


@pytest.mark.xfail(strict=True, reason="only the three best lines are looked at")
async def test_it_answers_where_any_line_holds_a_word_asked_about() -> None:
    others = [quote(n, f"We sang song {n} at the fair.", 0.9) for n in (3, 4, 5)]
    answer = await answered("What is the cat called?", *others, CAT)
    assert answer
    assert 2 in answer[1]


@pytest.mark.parametrize(
    ("question", "near"),
    [
        ("Am I allergic to shellfish?", "I'm allergic to peanuts, by the way."),
        ("Do I like aubergines?", "I like dark mode."),
        ("Is Elena a vegetarian?", "My wife Elena is a radiologist."),
        ("Who is my piano teacher?", "I'm learning the accordion, my teacher is Frau Pichler."),
        ("What is Judith's husband's name?", "My sister Judith is a nurse in Linz."),
        ("When is Mia's birthday?", "Judith's daughter Mia started kindergarten."),
        ("What's the colour of my cat's eyes?", "My cat is called Pumpkin."),
        ("Which marathon did I run in Berlin?", "I ran my first half marathon in 2:05."),
    ],
)
async def test_a_line_near_what_is_asked_for_is_no_answer(question: str, near: str) -> None:
    assert await answered(question, line(near)) is None


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("Am I allergic to peanuts?", "I'm allergic to peanuts, by the way."),
        ("Did I buy a telescope?", "I bought a telescope for Luca, paid 210 euros."),
        ("What is my sister's job?", "My sister Judith is a nurse in Linz."),
        ("What is my cat's name?", "My cat is called Pumpkin."),
        ("Which race did I run in Berlin?", "In Berlin I ran my first race."),
    ],
)
async def test_a_line_that_holds_what_is_asked_for_is_quoted(question: str, text: str) -> None:
    assert await answered(question, line(text)) == (said(line(text)), (1,))
