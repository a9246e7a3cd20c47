"""How a question is put, apart from what it asks about."""

import pytest

from language.requests.phrasing import asks_for_the_history, subject_of


@pytest.mark.parametrize(
    ("text", "subject"),
    [
        ("Can you tell me where I parked?", "where I parked?"),
        ("Could you please remind me what you recommended?", "what you recommended?"),
        ("Hi! Would you kindly show me the recipe?", "the recipe?"),
        ("Tell me about Anna's trip.", "Anna's trip."),
        ("Let me know if the dentist called.", "the dentist called."),
        ("I'd like to know who won, please.", "who won."),
        ("Do you remember when Tom left?", "when Tom left?"),
        ("I was wondering whether it rained.", "it rained."),
        ("I'm planning a site. Can you help me set up the layout?", "I'm planning a site. help me set up the layout?"),
        ("What was the order of my trips? Mention ONLY and ONLY five items.", "What was the order of my trips?"),
        ("Who won? Answer in one word.", "Who won?"),
        ("Give me a sentence with only five words.", "a sentence with only five words."),
    ],
)
def test_what_only_asks_is_left_out(text: str, subject: str) -> None:
    assert subject_of(text) == subject


@pytest.mark.parametrize(
    "text",
    [
        "Did you tell me the price?",
        "What would you recommend?",
        "What did Ann tell me about the trip?",
        "Where do you know Tom from?",
        "Can you?",
        "Wo habe ich geparkt?",
        "我把车停在哪里了？",
    ],
)
def test_what_is_asked_about_stays(text: str) -> None:
    assert subject_of(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "Can you give me a comprehensive summary of how my project went?",
        "Summarise what we decided.",
        "In what order did I bring up these topics?",
        "List the order in which I mentioned my trips.",
        "How many times did Elise go to Boston?",
        "How often have I complained about the heating?",
        "What have I said about rent across all our conversations?",
        "How has my training progressed?",
        "Fass bitte zusammen, was wir besprochen haben.",
        "Wie oft war ich beim Zahnarzt?",
        "Combien de fois suis-je allé à Lyon ?",
        "¿Cuántas veces fui al médico?",
        "Quante volte sono andato a Roma?",
        "Quantas vezes fui ao dentista?",
        "Hoe vaak ben ik gaan zwemmen?",
        "Сколько раз я был в Праге?",
        "总结一下我的项目进展。",
        "旅行の話を要約して。",
        "내 프로젝트를 요약해 줘.",
    ],
)
def test_the_whole_history_is_asked_about(text: str) -> None:
    assert asks_for_the_history(text)


@pytest.mark.parametrize(
    "text",
    [
        "When is the dentist?",
        "How many cats does Tom have?",
        "What is in the summary that Ann sent?",
        "What did I order for lunch?",
        "Is everything in order with the lease?",
        "Which time zone is the office in?",
        "Wie alt ist Anna?",
        "Quel est le prénom du chat ?",
        "我的猫叫什么？",
    ],
)
def test_a_fact_is_no_history(text: str) -> None:
    assert not asks_for_the_history(text)
