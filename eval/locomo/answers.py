"""LoCoMo's questions answered through `/v1/ask` and scored by token F1 as the paper defines it (Maharana et al., ACL 2024).

Multi-hop answers are compared part by part, open-domain ones up to the first semicolon; category 5 is right if the answer abstains.
Questions whose evidence names no turn are asked too: an answer can be scored without. The report counts the file's questions, those
asked, and those left out by reason. Known label errors can be left out by a list of ids: both figures are shown. A configured judge
may read the answers as well.
"""

import re
import string
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import asdict, dataclass
from functools import cache, cached_property
from pathlib import Path
from statistics import mean

import snowballstemmer

from cascade.errors import CascadeFault
from eval.harness.answer_paths import ask_memory, remembered
from eval.harness.conversations import Conversation, LabelledQuestion
from eval.harness.intervals import wilson
from eval.harness.judge import JudgeTier, ToJudge, judge_name, judge_note, judging
from eval.harness.report import Json, Report, Table
from eval.harness.runs import Sample, Work
from eval.locomo.data import ADVERSARIAL, ANSWERED, read_locomo
from eval.long_context.hidden_facts import configured_models, notes_on_models
from memory.encoding.encoder import Encoder
from tirtha.service import Service
from tirtha.settings import Settings

__all__ = ["LocomoAnswers", "answer_f1", "token_f1"]

_ARTICLES = re.compile(r"\b(?:a|an|the|and)\b")
_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ABSTAINS = ("no information available", "not mentioned")
_MULTI_HOP, _OPEN = "multi-hop", "open-domain"


@dataclass(frozen=True, kw_only=True)
class LocomoAnswers:
    """The benchmark over a LoCoMo file; `exclude` are ids of known label errors, which are answered and counted apart."""

    settings: Settings
    encoder: Encoder
    file: Path
    budget: int = 165
    limit: int | None = None
    exclude: Set[str] = frozenset()
    judge: JudgeTier | None = None
    pristine: bool = True
    name: str = "locomo-qa"

    @property
    def config(self) -> dict[str, Json]:
        """What was asked for."""
        return {
            "budget": self.budget, "limit": self.limit, "excluded": sorted(self.exclude), "judge": self.judge,
            "pristine": self.pristine,
        }  # fmt: skip

    @property
    def data(self) -> Sequence[Path]:
        """The conversations."""
        return [self.file]

    @property
    def models(self) -> dict[str, Json]:
        """Who answers, and who judges."""
        return {**configured_models(self.settings), "judge": judge_name(self.settings, self.judge)}

    @cached_property
    def _conversations(self) -> list[Conversation]:
        return read_locomo(self.file)

    @cached_property
    def _asked(self) -> dict[str, tuple[Conversation, LabelledQuestion]]:
        return {
            question.id: (conversation, question)
            for conversation in self._conversations
            for question in conversation.answered[: self.limit]
        }

    @cached_property
    def _coverage(self) -> "_Coverage":
        left_out = Counter(why for one in self._conversations for why in one.left_out.values())
        beyond = sum(len(one.answered) for one in self._conversations) - len(self._asked)
        if beyond:
            left_out[f"beyond --limit {self.limit}"] = beyond
        without = sum(not question.evidence for _, question in self._asked.values())
        return _Coverage(asked=len(self._asked), without_valid_evidence=without, left_out=left_out)

    def ids(self) -> list[str]:
        """Name the questions."""
        return list(self._asked)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:
        """Remember the conversations that are still asked about, each in a scope of its own, and ask."""
        conversations = {one.id: one for id_ in wanted for one, _ in [self._asked[id_]]}
        requests = [request for one in conversations.values() for request in one.requests()]
        async with remembered(requests, settings=self.settings, encoder=self.encoder) as service:

            async def work(id_: str) -> Sample:
                return await self._answer(service, id_)

            yield work

    async def _answer(self, service: Service, id_: str) -> Sample:
        conversation, question = self._asked[id_]
        try:
            reply = await ask_memory(
                service, question.question, conversation.asked_at, budget=self.budget, use_cache=not self.pristine,
                scope=conversation.scope,
            )  # fmt: skip
        except CascadeFault as fault:
            return Sample(id=id_, fault=str(fault))
        abstained = reply.path == "abstain"
        value: dict[str, Json] = {
            "kind": question.kind,
            "answer": reply.text,
            "path": reply.path,
            "cached": reply.cached,
            "f1": answer_f1(question.kind, question.answer, reply.text, abstained=abstained),
            "excluded": id_ in self.exclude,
        }
        return Sample(id=id_, value=value, cost_nanousd=reply.cost_nanousd)

    def scoring(self, answers: Mapping[str, Sample]) -> AbstractAsyncContextManager[Work] | None:
        """Have the judge read the answers, if there is one."""
        if self.judge is None:
            return None
        return judging(self.settings, self.judge, {id_: self._to_judge(id_, one) for id_, one in answers.items()})

    def _to_judge(self, id_: str, answer: Sample) -> ToJudge:
        _, question = self._asked[id_]
        kind = question.kind if question.answerable else "abstention"
        why = question.answer or "The conversation does not say this of the person asked about."
        return ToJudge(type=kind, question=question.question, answer=why, reply=str(answer.value.get("answer", "")))

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:
        """Give the F1, and the judge's word."""
        found = {"F1": float(str(answer.value["f1"]))}
        return found | ({"judged right": float(bool(score.value["right"]))} if score and not score.fault else {})

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Give F1 by category, with and without the excluded; abstention apart, errors apart."""
        done = [one for one in answers if not one.fault]
        right = {id_: bool(one.value["right"]) for id_, one in scores.items() if not one.fault}
        kept = [one for one in done if not one.value["excluded"]]
        coverage = self._coverage
        tables = [
            _table(done, right, title=f"LoCoMo answers, {self.file.name}, budget {self.budget}"), coverage.table()
        ]  # fmt: skip
        if len(kept) < len(done):
            tables.append(_table(kept, right, title=f"Without {len(done) - len(kept)} known label errors"))
        figures: dict[str, Json] = {
            "all": {name: asdict(one) for name, one in _figures(done, right).items()},
            "without_excluded": {name: asdict(one) for name, one in _figures(kept, right).items()},
            "questions": coverage.figures(),
            "errors": len(answers) - len(done),
            "cache_hits": sum(bool(one.value["cached"]) for one in done),
            "cost_nanousd": sum(one.cost_nanousd for one in [*answers, *scores.values()]),
        }
        judge = judge_name(self.settings, self.judge)
        notes = [
            coverage.sentence(),
            *notes_on_models(configured_models(self.settings)),
            *(judge_note(judge) if self.judge else []),
        ]
        return Report(title=f"LoCoMo answers, {self.file.name}", figures=figures, tables=tables, notes=notes)


def token_f1(gold: str, answer: str) -> float:
    """Give the F1 of the two texts' stemmed tokens, articles and punctuation apart."""
    wanted, said = _tokens(gold), _tokens(answer)
    shared = sum((Counter(wanted) & Counter(said)).values())
    if not shared:
        return 0.0
    precision, recall = shared / len(said), shared / len(wanted)
    return 2 * precision * recall / (precision + recall)


def answer_f1(kind: str, gold: str, answer: str, *, abstained: bool) -> float:
    """Score an answer as LoCoMo's own code does its kind; `abstained` stands for its phrases of abstention."""
    if kind == ADVERSARIAL:
        return float(abstained or any(phrase in answer.lower() for phrase in _ABSTAINS))
    if kind == _MULTI_HOP:
        parts = [part.strip() for part in answer.split(",")]
        return mean(max(token_f1(wanted.strip(), part) for part in parts) for wanted in gold.split(","))
    return token_f1(gold.split(";", maxsplit=1)[0].strip() if kind == _OPEN else gold, answer)


def _tokens(text: str) -> list[str]:
    plain = _ARTICLES.sub(" ", text.lower().translate(_PUNCTUATION))
    return [str(_stemmer().stemWord(word)) for word in plain.split()]


@cache
def _stemmer() -> snowballstemmer.stemmer:
    return snowballstemmer.stemmer("porter")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Coverage:
    """How many of the file's questions are asked, and why the others are not: no question is dropped without a word."""

    asked: int
    without_valid_evidence: int
    left_out: Mapping[str, int]

    @property
    def in_file(self) -> int:
        return self.asked + sum(self.left_out.values())

    def figures(self) -> dict[str, Json]:
        return {
            "in_file": self.in_file, "asked": self.asked,
            "asked_without_valid_evidence": self.without_valid_evidence, "left_out": dict(self.left_out),
        }  # fmt: skip

    def table(self) -> Table:
        table = Table("questions", "n", title="Questions of the file")
        table.add_row("in the file", str(self.in_file))
        table.add_row("asked", str(self.asked))
        table.add_row("of these without valid evidence", str(self.without_valid_evidence))
        table.add_row("left out", str(self.in_file - self.asked))
        for why, count in self.left_out.items():
            table.add_row(f"left out: {why}", str(count))
        return table

    def sentence(self) -> str:
        reasons = "; ".join(f"{count} {why}" for why, count in self.left_out.items())
        return (
            f"Of {self.in_file} questions of the file {self.asked} were asked, {self.without_valid_evidence} of them without valid "
            f"evidence; {self.in_file - self.asked} were left out{f' ({reasons})' if reasons else ''}."
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Figures:
    n: int
    f1: float
    judged: int
    judged_right: int


def _figures(done: Sequence[Sample], right: Mapping[str, bool]) -> dict[str, _Figures]:
    groups = {kind: [one for one in done if one.value["kind"] == kind] for kind in (*ANSWERED, ADVERSARIAL)}
    groups["categories 1 to 4"] = [one for one in done if one.value["kind"] in ANSWERED]
    found: dict[str, _Figures] = {}
    for name, own in groups.items():
        if own:
            judged = [right[one.id] for one in own if one.id in right]
            f1 = mean(float(str(one.value["f1"])) for one in own)
            found[name] = _Figures(n=len(own), f1=f1, judged=len(judged), judged_right=sum(judged))
    return found


def _table(done: Sequence[Sample], right: Mapping[str, bool], *, title: str) -> Table:
    table = Table("category", "n", "F1", "judged right", "95%", title=title)
    table.caption = "adversarial: share of abstentions"
    for name, one in _figures(done, right).items():
        n, count = one.judged, one.judged_right
        low, high = wilson(count, n) if n else (0.0, 1.0)
        table.add_row(
            name, str(one.n), f"{one.f1:.3f}", f"{count}/{n}" if n else "-", f"{low:.3f}-{high:.3f}" if n else "-"
        )
    return table
