"""Relative times in other languages than English: one right date, or none."""

import json
from datetime import date
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language import analyse, forget_texts, language_of
from language.other_times import _grammar, find_other_times, hints_other_time
from language.times import find_times, may_hold_time
from language.vocabularies import VOCABULARIES
from language.words import words as words_of

TUESDAY = date(2024, 3, 12)
CASES = [json.loads(line) for line in (Path(__file__).parent / "other_times.jsonl").read_text("utf-8").splitlines()]
ENGLISH = [
    "The word hier means something in French.",
    "I saw the film Demain with my sister.",
    "My friend Morgen is here.",
    "She said ayer, not hoy, and we laughed.",
    "Where is La Casa de Papel set?",
    "We had due diligence, and the fa note was off.",
    "He plays for Real Madrid and lives in Rio de Janeiro.",
]
QUESTIONS = {
    "de": (
        "Wo wohne ich?",
        "Wie heißt mein Hund?",
        "Welche Farbe mag ich?",
        "Mein Lieblingsessen?",
        "Ich liebe Berlin.",
    ),
    "fr": (
        "Où habite Marie ?",
        "Quand est né Paul ?",
        "Combien de frères ai-je ?",
        "J'ai un chat noir.",
        "Merci beaucoup !",
    ),
    "es": (
        "¿Dónde vivo?",
        "¿Cuándo nació Marta?",
        "Donde trabaja mi hermano?",
        "Tengo un gato negro.",
        "Me encanta bailar.",
    ),
    "ru": ("Где я живу?", "Как зовут мою собаку?", "Спасибо!"),
    "zh": ("我住在哪里？", "小李的生日是什么时候？", "我用Python写代码吗？"),
    "it": ("Dove abito?", "Qual è il mio colore preferito?", "Chi è il mio medico?", "Mi piace ballare."),
    "pt": ("Onde eu moro?", "Quando nasceu a Ana?", "Tenho um gato preto.", "Eu gosto de dançar."),
    "nl": ("Waar woon ik?", "Hoe heet mijn hond?", "Wanneer is Jan jarig?", "Goedemorgen allemaal!"),
    "ja": ("どこに住んでいますか", "私の犬の名前は？", "田中さんの誕生日はいつ？"),
    "ko": ("어디에 살아요?", "내 강아지 이름이 뭐야?", "민수 생일이 언제야?"),
    "en": ("Where do I live?", "What is my dog's name?", "I was born on 3 May.", "Did Maria die?", "Thanks!", *ENGLISH),
    # Neighbours, and what is of no language.
    None: (
        "Jeg bor i Oslo.",
        "Vad heter min hund?",
        "Де я живу?",
        "Къде живея аз?",
        "Gdzie mieszkam?",
        "12345",
        "Pizza",
        "",
    ),
}


def meanings(text: str, said_on: date = TUESDAY) -> list[str]:
    return [time.meaning for time in analyse(text, said_on).times]


def test_a_sentence_gives_its_one_right_date_or_none() -> None:
    read = [(case, meanings(case["text"], date.fromisoformat(case["said_on"]))) for case in CASES]
    assert [(case["text"], case["times"], found) for case, found in read if found != case["times"]] == []


def test_the_cases_are_of_all_languages_and_a_third_of_them_are_traps() -> None:
    of = {language: [case for case in CASES if case["language"] == language] for language in VOCABULARIES}
    assert all(len(cases) >= 20 for cases in of.values())
    assert sum(not case["times"] for case in CASES) >= len(CASES) / 3


@pytest.mark.parametrize("text", ENGLISH)
def test_english_is_left_alone(text: str) -> None:
    assert find_other_times(text, TUESDAY) == []


@pytest.mark.parametrize(("language", "text"), [(one, text) for one, texts in QUESTIONS.items() for text in texts])
def test_a_short_question_has_its_language(language: str | None, text: str) -> None:
    assert language_of(text) == language


def test_what_a_word_means_depends_on_the_sentence() -> None:
    assert meanings("Hier, nous étions à Lyon.") == ["11 March 2024"]
    assert meanings("Hier wohnen wir, und hier bleiben wir.") == []
    assert meanings("Hier.") == []
    assert meanings("Hi Anna! Gestern bin ich umgezogen. It was a long day.") == ["11 March 2024"]
    assert meanings("Ich war müde. Gestern!") == [
        "11 March 2024"
    ]  # a sentence without a sign is in the text's language


def test_the_words_that_are_found_are_those_of_the_text() -> None:
    text = "Naja. Ich war VOR\u00a0ZWEI Tagen dort, und übermorgen fahre ich wieder hin."
    assert [text[time.start : time.end] for time in analyse(text, TUESDAY).times] == [
        "VOR\u00a0ZWEI Tagen",
        "übermorgen",
    ]
    [today] = analyse("Heute bin ich müde.", TUESDAY).times
    assert today.implied
    assert today.relative


def test_a_full_date_needs_no_day_of_speaking() -> None:
    [found] = analyse("Am 3. Mai 2021 haben wir geheiratet.").times
    assert (found.first, found.relative) == (date(2021, 5, 3), False)
    assert analyse("Gestern haben wir geheiratet.").times == ()


@pytest.mark.parametrize(
    ("text", "said_on", "meaning"),
    [
        ("Letzten Sommer waren wir in Rom.", "2024-03-12", "summer 2023"),
        ("Letzten Sommer waren wir in Rom.", "2024-07-12", "summer 2023"),
        ("Letzten Sommer waren wir in Rom.", "2024-10-12", None),  # that of this year, or the one before
        ("L'hiver dernier, il a neigé.", "2024-04-12", None),
        ("L'hiver dernier, il a neigé.", "2024-08-12", "winter 2023"),
        ("Letzten Freitag war ich krank.", "2024-03-12", "8 March 2024"),
        ("Letzten Montag war ich krank.", "2024-03-14", None),  # three days ago, or ten
        ("El 28 de febrero me mudé.", "2024-03-12", "28 February 2024"),
        ("El 28 de febrero me mudé.", "2024-09-12", None),  # of which year?
        ("先週の金曜日に会った。", "2024-03-17", None),  # to some, Sunday begins a week
        ("Vorige week vrijdag was ik vrij.", "2024-03-17", "8 March 2024"),
    ],
)
def test_of_two_readings_none_is_chosen(text: str, said_on: str, meaning: str | None) -> None:
    assert meanings(text, date.fromisoformat(said_on)) == ([meaning] if meaning else [])


def test_the_first_day_there_is_has_no_yesterday() -> None:
    assert meanings("Gestern kam ich an.", date(1, 1, 1)) == []
    assert meanings("Ich war vor zwei Jahren dort.", date(1, 1, 1)) == []
    assert meanings("昨天我到了。", date(1, 1, 1)) == []


@cache
def pieces() -> tuple[str, ...]:
    with_times = [case for case in CASES if case["times"]]
    found = [case["text"][time.start : time.end] for case in with_times for time in find_times(case["text"], TUESDAY)]
    return tuple(sorted({piece for words in found for piece in [words, *words.split()]}))


GLUED = st.builds(
    lambda parts: "".join(piece + glue for piece, glue in parts),
    st.lists(
        st.tuples(
            st.deferred(lambda: st.sampled_from(pieces())), st.sampled_from([" ", " ", "", "'", "\u2019", "_", "，"])
        ),
        max_size=6,
    ),
)


@given(GLUED)
def test_no_time_is_missed_for_want_of_a_hint(text: str) -> None:
    with_times = [
        rule.pattern.pattern
        for language in VOCABULARIES
        for rule in _grammar(language)._rules
        if rule.pattern.search(text.lower().replace("\u2019", "'"))
    ]
    assert may_hold_time(words_of(text)) or not with_times


@given(st.text(max_size=200) | GLUED, st.dates())
def test_any_text_on_any_day_is_read_without_error(text: str, said_on: date) -> None:
    found = find_times(text, said_on)
    assert all(one.first <= one.last and one.start < one.end <= len(text) for one in found)
    assert all(a.end <= b.start for a, b in zip(found, found[1:], strict=False))


def test_no_word_is_kept_once_texts_are_forgotten() -> None:
    meanings("Gestern war ich in Kasachstan.")
    forget_texts()
    assert hints_other_time.cache_info().currsize == 0
