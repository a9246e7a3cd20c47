"""Dialogues of two named people over half a year, for fitting: `dialogues(seeds)`. The same seed is the same dialogue.

Put together from this folder's tables: what is mentioned (`planning`), how it is woven into sessions (`weaving`), what is asked
about it (`questions`). They are for training only. Their small stock of wordings says nothing about how well recall does on real
talk.
"""

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from eval.harness.conversations import Conversation, LabelledQuestion
from eval.training.dialogues.planning import Plan, plan_of
from eval.training.dialogues.questions import Asked, questions_of
from eval.training.dialogues.tables import facts, smalltalk, speakers
from eval.training.dialogues.weaving import DialogueLine, Held, Weaver

__all__ = ["Dialogue", "dialogues", "written"]

_DAYS = 182
_FIRST = datetime(2021, 1, 1, tzinfo=UTC)
_START_DAYS = 1400
_BURST_PAUSE_S, _PAUSE_S = (3, 20), (15, 150)


@dataclass(frozen=True, kw_only=True)
class Dialogue:
    """A dialogue as it was made: the conversation, what each of its questions was made of, and the turns that hold what."""

    conversation: Conversation
    asked: tuple[Asked, ...]
    holding: Mapping[Held, Set[str]]


def dialogues(seeds: Iterable[int]) -> list[Conversation]:
    """Return a dialogue for each seed: 15 to 20 sessions of 10 to 30 turns, 40 questions, a fifth of them without an answer."""
    return [written(seed).conversation for seed in seeds]


def written(seed: int) -> Dialogue:
    """Return the dialogue of a seed, with what its questions were made of."""
    random = Random(f"dialogue {seed}")  # noqa: S311  # to be the same again
    names = random.sample(speakers(), 2)
    pair = (names[0], names[1])
    starts = _starts(random)
    plan = plan_of(random, len(starts))
    weaver = Weaver(random, pair, _unused_values(plan))
    sessions: dict[str, list[dict[str, str]]] = {}
    holding: dict[Held, set[str]] = {}
    for number, start in enumerate(starts):
        mentions = [one for group in plan.mentions for one in group if one.session == number]
        introduced = [one for one in plan.kin if one.introduced_in == number]
        lines = weaver.session(mentions, introduced, start.date())
        sessions[f"session_{number + 1}"] = _turns(random, lines, number + 1, start, pair)
        for place, line in enumerate(lines, 1):
            for held in line.holds:
                holding.setdefault(held, set()).add(f"D{number + 1}:{place}")
    asked = questions_of(random, plan, pair, weaver.times)
    identity = f"dialogue-{seed}"
    conversation = Conversation(
        id=identity,
        sessions=sessions,
        questions=tuple(_labelled(f"{identity}:{place}", one, holding) for place, one in enumerate(asked)),
        last_said_at=max(datetime.fromisoformat(turn["said_at"]) for turns in sessions.values() for turn in turns),
        speakers=pair,
    )
    return Dialogue(conversation=conversation, asked=asked, holding=holding)


def _starts(random: Random) -> list[datetime]:
    """Return when the sessions begin: on days of half a year, in an afternoon or evening, so that none runs into the next day."""
    first = _FIRST + timedelta(days=random.randrange(_START_DAYS))
    days = sorted(random.sample(range(_DAYS), random.randint(15, 20)))
    return [first + timedelta(days=day, minutes=random.randrange(12 * 60, 21 * 60)) for day in days]


def _unused_values(plan: Plan) -> tuple[str, ...]:
    """Return values that neither of the two has: what others do answers nothing."""
    used = {one.value for group in plan.mentions for one in group}
    subjects = smalltalk().elsewhere_subjects
    of = [fact for fact in (*facts("states"), *facts("lists")) if fact.subject in subjects]
    return tuple(value for fact in of for value in fact.values if value not in used)


def _turns(
    random: Random, lines: Sequence[DialogueLine], session: int, start: datetime, names: tuple[str, str]
) -> list[dict[str, str]]:
    turns: list[dict[str, str]] = []
    said_at, last = start, None
    for place, line in enumerate(lines, 1):
        said_at += timedelta(seconds=random.randint(*(_BURST_PAUSE_S if line.by == last else _PAUSE_S)))
        last = line.by
        turns.append(
            {
                "id": f"D{session}:{place}",
                "role": ("user", "assistant")[line.by],
                "speaker": names[line.by],
                "text": line.text,
                "said_at": said_at.isoformat(),
            }
        )
    return turns


def _labelled(identity: str, asked: Asked, holding: Mapping[Held, Set[str]]) -> LabelledQuestion:
    answerable = asked.wrong is None
    evidence = {turn for held in asked.evidence for turn in holding.get(held, ())} if answerable else ()
    return LabelledQuestion(
        id=identity,
        question=asked.question,
        answer=asked.answer if answerable else "",
        kind=asked.kind,
        evidence=frozenset(evidence),
        answerable=answerable,
    )
