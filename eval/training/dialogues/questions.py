"""The questions of a third party about a dialogue: with an answer and the slots that hold it, or asked of the wrong person."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random

from eval.training.dialogues.planning import Mention, Plan
from eval.training.dialogues.relative_times import When
from eval.training.dialogues.weaving import Held

__all__ = ["Asked", "questions_of"]

SINGLE_HOP, TEMPORAL, MULTI_HOP = "single-hop", "temporal", "multi-hop"
_ANSWERED, _UNANSWERED = 32, 8
_NEAREST = 0.5  # of the questions, those in the wording that is nearest to how it is mentioned, beside chance
_WHO = 0.2  # of the questions that could be turned round, those that ask for the person


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question, its answer and what its evidence holds.

    wrong: who is asked about (0 or 1) though only the other one has it, which is then what `answer` and `evidence` say.
    """

    question: str
    answer: str
    kind: str
    evidence: frozenset[Held]
    wrong: int | None = None


def questions_of(
    random: Random, plan: Plan, speakers: Sequence[str], times: Mapping[Mention, When]
) -> tuple[Asked, ...]:
    """Return 40 questions in no order, a fifth without an answer: one of each fact of a person, two of an event."""
    answered: list[Asked] = []
    unanswered: list[Asked] = []
    for mentions in plan.mentions:
        first, others = mentions[0], plan.of_the_other(mentions)
        direct = _direct(random, mentions, speakers[first.owner], times)
        if first.fact.who and random.random() < _WHO:
            answered.append(_turned_round(random, first, speakers[first.owner]))
        else:
            answered += direct if first.fact.form == "events" else [random.choice(direct)]
        if others and first.fact.both and first.owner == 0:
            answered.append(_of_both(random, first, others[0], speakers))
        if not others and first.fact.form != "joint":
            wrong = 1 - first.owner
            of_wrong = [one for one in _direct(random, mentions, speakers[wrong], times) if not one.answer.isdigit()]
            unanswered.append(replace(random.choice(of_wrong), wrong=wrong))
    chosen = random.sample(answered, _ANSWERED) + random.sample(unanswered, _UNANSWERED)
    return tuple(random.sample(chosen, len(chosen)))


def _direct(random: Random, mentions: Sequence[Mention], name: str, times: Mapping[Mention, When]) -> list[Asked]:
    """Return what can be asked about a person, one question of each kind."""
    first, last = mentions[0], mentions[-1]
    fact = first.fact
    slots = {"name": name, "v": last.value, "a": last.answer, "kin": first.kin.relation if first.kin else ""}
    values = frozenset(Held(one, "v") for one in mentions)

    def asked(wordings: Sequence[str], answer: str, kind: str, evidence: frozenset[Held]) -> Asked:
        wording = wordings[0] if random.random() < _NEAREST else random.choice(wordings)
        question = wording.format(**slots)
        return Asked(question=question, answer=answer, kind=kind, evidence=evidence)

    match fact.form:
        case "events":
            when = times[first]
            return [
                asked(fact.questions, when.answer, TEMPORAL, values | {Held(first, "when")}),
                asked(fact.details, first.answer, SINGLE_HOP, values),
            ]
        case "lists":
            answer = ", ".join(one.answer for one in mentions)
            return [
                asked(fact.questions, answer, MULTI_HOP, values),
                asked(fact.questions, answer, MULTI_HOP, values),
                asked(fact.counts, str(len(mentions)), MULTI_HOP, values),
            ]
        case "changes":
            return [
                asked(fact.questions, last.answer, SINGLE_HOP, frozenset({Held(last, "v")})),
                asked(fact.before, first.answer, MULTI_HOP, values),
            ]
        case "relations":
            introduced = _introduced(first)
            kind = MULTI_HOP if introduced else SINGLE_HOP
            return [asked(fact.questions, first.answer, kind, values | {Held(first, "who")} | introduced)]
        case _:
            return [asked(fact.questions, first.answer, SINGLE_HOP, values)]


def _of_both(random: Random, mention: Mention, other: Mention, speakers: Sequence[str]) -> Asked:
    """Return a question about both of them, whose answers are in turns of their own."""
    names = (speakers[mention.owner], speakers[other.owner])
    return Asked(
        question=random.choice(mention.fact.both).format(name=names[0], other=names[1]),
        answer=f"{names[0]}: {mention.answer}, {names[1]}: {other.answer}",
        kind=MULTI_HOP,
        evidence=frozenset({Held(mention, "v"), Held(other, "v")}),
    )


def _turned_round(random: Random, mention: Mention, name: str) -> Asked:
    """Return a question that names what was mentioned and asks for the person."""
    kin = mention.kin
    question = random.choice(mention.fact.who).format(v=mention.value, kin=kin.relation if kin else "")
    introduced = _introduced(mention)
    return Asked(
        question=question,
        answer=name,
        kind=MULTI_HOP if introduced else SINGLE_HOP,
        evidence=introduced | {Held(mention, "v"), Held(mention, "who")},
    )


def _introduced(mention: Mention) -> frozenset[Held]:
    """Return what says who the relative is, where the mention has but a name."""
    kin = mention.kin
    return frozenset({Held(kin, "who")}) if kin and kin.introduced_in is not None else frozenset()
