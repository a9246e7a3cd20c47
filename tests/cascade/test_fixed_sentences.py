"""What Tirtha says in place of an answer is said in the question's language, and is known for an abstention in each."""

import gzip
import json
from pathlib import Path
from time import perf_counter

import pytest

from cascade import Brief, Cascade
from cascade.fixed_sentences import no_program_passed, not_in_memory
from cascade.guards import AnswerabilityGuard
from cascade.reading.abstentions import lacks_answer
from tests.support.briefs import brief, quote
from tests.support.tiers import OneContext

ENGLISH = "That is not in memory."
QUESTIONS = [
    ("Wo wohne ich?", "Das steht nicht im Gedächtnis."),
    ("Wann hat Anna ihre Prüfung bestanden?", "Das steht nicht im Gedächtnis."),
    ("Comment s'appelle mon chat ?", "Cela ne figure pas dans la mémoire."),
    ("Quand est-ce que Marie a déménagé à Lyon ?", "Cela ne figure pas dans la mémoire."),
    ("¿Dónde vivo?", "Eso no está en la memoria."),
    ("¿Cuándo compró Luis su coche?", "Eso no está en la memoria."),
    ("Где я живу?", "Этого нет в памяти."),
    ("Как зовут мою собаку?", "Этого нет в памяти."),
    ("我住在哪里？", "记忆中没有这一内容。"),
    ("小李什么时候搬到了成都？", "记忆中没有这一内容。"),
    ("Dove abita mia sorella?", "Questo non è presente nella memoria."),
    ("Come si chiama il mio gatto?", "Questo non è presente nella memoria."),
    ("Onde mora a minha irmã?", "Isso não está na memória."),
    ("Qual é o nome do meu cachorro?", "Isso não está na memória."),
    ("Waar woont mijn zus?", "Dat staat niet in het geheugen."),
    ("Hoe heet mijn hond?", "Dat staat niet in het geheugen."),
    ("私の猫の名前は何ですか？", "それはメモリにありません。"),
    ("田中さんはいつ引っ越しましたか？", "それはメモリにありません。"),
    ("내 고양이 이름이 뭐예요?", "그 내용은 메모리에 없습니다."),
    ("지수는 언제 이사했어요?", "그 내용은 메모리에 없습니다."),
    ("Where do I live?", ENGLISH),
    ("What is the name of Marie's cat?", ENGLISH),
]


@pytest.mark.parametrize(("question", "sentence"), QUESTIONS)
def test_an_abstention_is_in_the_language_of_the_question(question: str, sentence: str) -> None:
    assert not_in_memory(question) == sentence


@pytest.mark.parametrize(
    "question", ["", "?", "Rex?", "Berlin 2024?", "Anna Karenina?", "42", "Gdzie mieszkam?", "Hvor bor jeg?"]
)
def test_where_the_language_is_not_clear_or_not_one_of_ours_it_is_english(question: str) -> None:
    assert not_in_memory(question) == ENGLISH


@pytest.mark.parametrize("question", [QUESTIONS[0][0], QUESTIONS[8][0]])
async def test_an_abstention_is_known_by_its_path_whatever_it_says(question: str) -> None:
    own = Cascade(guards=(), quote_guards=(AnswerabilityGuard(threshold=0.3),), answerable_from=0.3)
    asked: Brief = brief(question, quote(2, "My cat is called Miso.", 0.8), answerable=0.1)
    decision = (await own.answer(OneContext((asked,), None), budget=165, started_s=perf_counter())).decision
    assert (decision.path, decision.abstained, decision.answer) == ("abstain", True, not_in_memory(question))
    assert decision.answer != ENGLISH


@pytest.mark.parametrize("sentence", sorted({sentence for _, sentence in QUESTIONS}))
def test_a_model_that_says_our_sentence_abstains(sentence: str) -> None:
    assert lacks_answer(sentence)


def test_of_programs_too(shared_data: Path) -> None:
    assert (
        no_program_passed("Schreibe eine Funktion, die zwei Zahlen addiert.")
        == "Kein Programm hat die Tests bestanden."
    )
    assert no_program_passed("写一个函数，返回两个数的和。") == "没有程序通过测试。"
    with gzip.open(shared_data / "HumanEval.jsonl.gz", "rt") as file:
        prompts = [json.loads(line)["prompt"] for line in file]
    assert {no_program_passed(prompt) for prompt in prompts} == {"No program passed the tests."}
