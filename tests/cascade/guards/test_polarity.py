import json
from pathlib import Path
from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.decision import Verdict
from cascade.guards import Case, PolarityGuard
from cascade.model import Draft
from tests.support.briefs import brief, quote

CASES = [json.loads(line) for line in (Path(__file__).parent / "polarity.jsonl").read_text("utf-8").splitlines()]
NOT_PARIS = "I did not go to the Paris concert."
PARIS = "I went to the Paris concert."
DID_ANN_GO = "Did Ann go to the Paris concert?"


async def judged(
    question: str, answer: str, *lines: str, cited: tuple[int, ...] | None = None, abstains: bool = False
) -> Verdict:
    quotes = [quote(n, text, 1.0, speaker="Ann") for n, text in enumerate(lines, 1)]
    citations = tuple(one.n for one in quotes) if cited is None else cited
    draft = Draft(answer=answer, citations=citations, abstains=abstains)
    trace = Trace(started_s=perf_counter(), deadline_s=5)
    return await PolarityGuard().check(Case(brief=brief(question, *quotes), draft=draft, model="m", trace=trace))


@pytest.mark.parametrize(
    ("line", "question", "supported", "opposed"),
    [
        (NOT_PARIS, DID_ANN_GO, "No.", "Yes."),
        (PARIS, DID_ANN_GO, "Yes.", "No."),
        ("I went to the Paris concert, but I didn't like the food.", DID_ANN_GO, "Yes.", "No."),
        ("I missed the Paris concert.", DID_ANN_GO, "No.", "Yes."),
        ("I have never been to Japan.", "Has Ann been to Japan?", "No, she has not.", "yes she has"),
        ("I don\u2019t eat meat anymore.", "Does Ann eat meat?", "Nope.", "Yes!"),
        ("I cannot swim.", "Can Ann swim?", "NO", "**Yes**"),
        ("I no longer work at the bank.", "Does Ann work at the bank?", "No", "Yeah"),
        ("Neither of us passed the exam.", "Did Ann pass the exam?", "No.", "Yep."),
        ("I not only sing but also play the violin.", "Does Ann sing?", "Yes.", "No."),
        ("We had no doubt that Bea would win the race.", "Did Bea win the race?", "Yes.", "No."),
        ("I moved to Berlin, so I couldn't keep my dog.", "Did Ann keep her dog?", "No.", "Yes."),
        ("I moved to Berlin, so I couldn't keep my dog.", "Did Ann move to Berlin?", "Yes.", "No."),
        ("The trip to Oslo was cancelled.", "Was the trip to Oslo cancelled?", "Yes.", "No."),
        ("I quit smoking in March.", "Did Ann quit smoking?", "Yes.", "No."),
        ("I quit smoking in March.", "Does Ann smoke?", "No.", "Yes."),
        ("Ich war nicht beim Konzert in Paris.", "War Ann beim Konzert in Paris?", "Nein.", "Ja."),
        ("Je ne suis pas all\u00e9e au concert de Paris.", "Ann est all\u00e9e au concert de Paris ?", "Non.", "Oui."),
        ("No fui al concierto de Par\u00eds.", "\u00bfFue Ann al concierto de Par\u00eds?", "No.", "S\u00ed."),
        ("N\u00e3o fui ao concerto de Paris.", "Ann foi ao concerto de Paris?", "N\u00e3o.", "Sim."),
        ("Ik ben niet naar het concert in Parijs geweest.", "Is Ann naar het concert geweest?", "Nee.", "Ja."),
        (
            "\u042f \u043d\u0435 \u0431\u044b\u043b \u0432 \u041f\u0430\u0440\u0438\u0436\u0435.",
            "\u0422\u044b \u0431\u044b\u043b \u0432 \u041f\u0430\u0440\u0438\u0436\u0435?",
            "\u041d\u0435\u0442.",
            "\u0414\u0430.",
        ),
        (
            "\u6211\u6ca1\u6709\u53bb\u5df4\u9ece\u3002",
            "\u4f60\u53bb\u5df4\u9ece\u4e86\u5417\uff1f",
            "\u4e0d",
            "\u662f",
        ),
        (
            "\u30d1\u30ea\u306b\u306f\u884c\u304b\u306a\u304b\u3063\u305f\u3002",
            "\u30d1\u30ea\u306b\u884c\u304d\u307e\u3057\u305f\u304b\uff1f",
            "\u3044\u3044\u3048",
            "\u306f\u3044",
        ),
        (
            "\ud30c\ub9ac\uc5d0 \uac00\uc9c0 \uc54a\uc558\uc5b4\uc694.",
            "\ud30c\ub9ac\uc5d0 \uac14\uc5b4\uc694?",
            "\uc544\ub2c8\uc694",
            "\ub124",
        ),
    ],
)
async def test_a_bare_yes_or_no_is_supported_by_a_line_of_its_polarity_only(
    line: str, question: str, supported: str, opposed: str
) -> None:
    assert (await judged(question, supported, line)).status == "pass"
    assert (await judged(question, opposed, line)).status == "fail"


@pytest.mark.parametrize(
    ("line", "answer", "status"),
    [
        (NOT_PARIS, "Ann went to the Paris concert.", "fail"),
        (NOT_PARIS, "Yes, she went to the Paris concert.", "fail"),
        (NOT_PARIS, "Ann did not go to the Paris concert.", "pass"),
        (NOT_PARIS, "No, she did not go to the concert.", "pass"),
        (NOT_PARIS, "Ann skipped the Paris concert.", "pass"),
        (PARIS, "Ann did not go to the Paris concert.", "fail"),
        (PARIS, "Ann never went to the Paris concert.", "fail"),
        ("I sold my car.", "Ann did not sell her car.", "fail"),
        (PARIS, "Ann skipped the Paris concert.", "fail"),
        (PARIS, "Yes, Ann went to the concert.", "pass"),
        ("Nobody came to my birthday party.", "Her friends came to the birthday party.", "fail"),
        ("I don't eat meat anymore.", "Ann eats meat.", "fail"),
        ("I'm allergic to nuts.", "Ann is not allergic to nuts.", "fail"),
        ("I bought a blue bike, not a red one.", "Her bike is blue.", "pass"),
        ("I bought a blue bike, not a red one.", "Red.", "fail"),
        ("Je ne mange pas de viande.", "Ann mange de la viande.", "fail"),
        ("I can't wait for the Paris concert!", "Ann looks forward to the Paris concert.", "pass"),
    ],
)
async def test_a_sentence_must_have_the_polarity_of_its_line(line: str, answer: str, status: str) -> None:
    assert (await judged(DID_ANN_GO, answer, line)).status == status


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        ("I like Rome.", DID_ANN_GO, "Yes."),
        ("I like Rome.", DID_ANN_GO, "No."),
        ("I have tickets somewhere.", DID_ANN_GO, "Yes, she did."),
        ("", DID_ANN_GO, "Yes."),
        (PARIS, "Did she?", "Yes."),  # about nothing that a line could hold
        ("I sold my car.", "Does Ann have a car?", "Yes."),
        ("Tom did not pass the exam. I passed it.", "Did Ann pass the exam?", "No."),
    ],
)
async def test_a_bare_yes_or_no_that_cannot_be_judged_is_unsure(line: str, question: str, answer: str) -> None:
    verdict = await judged(question, answer, line)
    assert (verdict.status, verdict.score) == ("unsure", 0.5)


async def test_what_a_line_does_not_say_is_never_passed_and_what_it_says_is() -> None:
    passed = [(await judged(case["question"], case["answer"], case["line"])).status == "pass" for case in CASES]
    assert [case for case, passes in zip(CASES, passed, strict=True) if passes != case["supported"]] == []


async def test_only_the_cited_lines_count() -> None:
    assert (await judged(DID_ANN_GO, "Yes.", NOT_PARIS, PARIS, cited=(2,))).status == "pass"
    assert (await judged(DID_ANN_GO, "Yes.", NOT_PARIS, PARIS, cited=(1,))).status == "fail"
    assert (await judged(DID_ANN_GO, "Yes.", NOT_PARIS, PARIS, cited=())).status == "unsure"


async def test_the_worst_sentence_decides() -> None:
    answer = "Ann went to the Paris concert. She did not like the food."
    assert (await judged(DID_ANN_GO, answer, PARIS, "I didn't like the food.")).status == "pass"
    assert (await judged(DID_ANN_GO, answer, PARIS, "I did like the food there.")).status == "fail"


@pytest.mark.parametrize(("answer", "abstains"), [("", False), ("", True), ("Yes.", True)])
async def test_what_claims_nothing_passes(answer: str, abstains: bool) -> None:
    assert (await judged(DID_ANN_GO, answer, NOT_PARIS, abstains=abstains)).status == "pass"


async def test_a_verdict_says_why() -> None:
    verdict = await judged(DID_ANN_GO, "Yes.", NOT_PARIS)
    assert (verdict.guard, verdict.score, verdict.blames) == ("polarity", 0.0, "draft")
    assert "opposite" in verdict.reason


@pytest.mark.parametrize("answer", ["Yes, Ann did.", "Yes, definitely.", "Sure.", "Of course.", "Yup.", "Correct."])
async def test_an_affirmation_in_other_words_is_a_bare_yes(answer: str) -> None:
    assert (await judged(DID_ANN_GO, answer, NOT_PARIS)).status != "pass"


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        ("Non sono andata al concerto di Parigi.", "Ann \u00e8 andata al concerto di Parigi?", "S\u00ec."),
        ("Ich war nicht beim Konzert in Paris.", "War Ann nicht beim Konzert in Paris?", "Doch."),
        (
            "\u6211\u53bb\u4e86\u5df4\u9ece\u3002",
            "\u4f60\u53bb\u5df4\u9ece\u4e86\u5417\uff1f",
            "\u6ca1\u6709\u3002",
        ),
        (
            "\ud30c\ub9ac\uc5d0 \uac14\uc5b4\uc694.",
            "\ud30c\ub9ac\uc5d0 \uac14\uc5b4\uc694?",
            "\uc544\ub2c8\uc624",
        ),
    ],
)
async def test_a_bare_yes_or_no_in_another_language_is_known(line: str, question: str, answer: str) -> None:
    assert (await judged(question, answer, line)).status != "pass"


@pytest.mark.parametrize(
    ("line", "question", "answer"),
    [
        (NOT_PARIS, "Which concert did Ann miss?", "The Paris concert."),
        ("I don't eat meat.", "What does Ann not eat?", "Meat."),
    ],
)
async def test_a_thing_that_is_asked_for_does_not_affirm(line: str, question: str, answer: str) -> None:
    assert (await judged(question, answer, line)).status != "fail"


@pytest.mark.xfail(
    strict=True,
    reason="not seen: names count as words, and of tied clauses any will do",
)
@pytest.mark.parametrize(
    ("line", "answer"),
    [
        ("Ich habe kein Auto.", "Ann hat ein Auto."),
        ("I bought a blue bike, not a red one.", "Ann bought a red one."),
    ],
)
async def test_a_sentence_that_says_the_opposite_in_other_forms_fails(line: str, answer: str) -> None:
    assert (await judged("What about Ann?", answer, line)).status != "pass"


@pytest.mark.xfail(strict=True, reason="a denial counts for its whole clause, whatever it denies")
@pytest.mark.parametrize(
    ("lines", "question", "answer"),
    [
        (("I moved to Berlin without my dog.",), "Did Ann move to Berlin?", "No."),
    ],
)
async def test_a_denial_of_something_else_supports_no_no(lines: tuple[str, ...], question: str, answer: str) -> None:
    assert (await judged(question, answer, *lines)).status != "pass"
