"""The demo: remember the sample history, ask its questions, and show context, answer, citations and saving of each.

At the end it counts by the rule of `tirtha.sample.marking`: answers that are right, wrong and abstained, and contexts that hold the
expected answer. Where models are configured it also says which paths the questions went; a question that a model met with silence
is counted apart, and does not end the demo.
"""

import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from time import perf_counter

from rich.console import Console, Group
from rich.panel import Panel
from rich.progress import track
from rich.table import Table
from rich.text import Text

from cascade import Decision
from cascade.errors import TierDown
from tirtha.caller import local_caller
from tirtha.operations.ask import AskRequest
from tirtha.operations.remember import RememberRequest
from tirtha.sample import SampleQuestion, sample_questions, sample_sessions
from tirtha.sample.marking import Mark, in_words_of, mark
from tirtha.service import Service
from tirtha.settings import Settings, TierSettings
from tirtha.terminal import one_entry, printable
from tirtha.wiring.service import open_service
from tirtha.wiring.tiers import Name, model_name

__all__ = ["run_demo"]

_CALLER = local_caller()
_USER = "demo"
_STYLES: dict[Mark, str] = {"right": "bold green", "wrong": "bold red", "abstained": "bold yellow"}
_NO_ANSWER = "bold magenta"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the summary counts of one question; without a decision its tier said nothing."""

    asked: SampleQuestion
    decision: Decision | None

    @property
    def mark(self) -> Mark | None:
        """Whether the answer is right, wrong, or abstains where the history has one; None without an answer."""
        return mark(self.asked, self.decision) if self.decision else None

    @property
    def path(self) -> str:
        """Where the question ended."""
        return self.decision.path if self.decision else "error"


async def run_demo(settings: Settings, console: Console) -> None:
    """Run the demo in a data folder of its own, which is thrown away."""
    with tempfile.TemporaryDirectory(prefix="tirtha-demo-", ignore_cleanup_errors=True) as folder:
        own = settings.model_copy(update={"home": Path(folder), "database_url": None})
        console.print("Loading the embedding model ...")
        async with open_service(own) as service:
            asked_at = await _remember(service, console)
            raw = await service.context.raw_tokens(_CALLER, _USER)
            console.print(f"The raw history takes {raw:,} tokens; each answer below stands on at most {own.budget}.\n")
            shown = [await _show(service, question, asked_at, raw, console) for question in sample_questions()]
        _summarise(shown, raw, console)
        _say_who_answered(own, shown, console)


async def _remember(service: Service, console: Console) -> datetime:
    sessions = sample_sessions()
    started_s = perf_counter()
    turns = 0
    for session_id, said in track(sessions.items(), "Remembering", console=console, total=len(sessions)):
        request = RememberRequest(user_id=_USER, session_id=session_id, turns=said, wait="indexed")
        await service.remember(_CALLER, request)
        turns += len(said)
    seconds = perf_counter() - started_s
    console.print(f"Remembered {turns} turns of {len(sessions)} conversations in {seconds:.1f} s, word for word.")
    return max(turn.said_at for said in sessions.values() for turn in said if turn.said_at)


async def _show(service: Service, question: SampleQuestion, asked_at: datetime, raw: int, console: Console) -> _Shown:
    ask = AskRequest(user_id=_USER, question=question.question, asked_at=asked_at, use_cache=False)
    title = Text(question.question, style="bold")
    try:
        decision = (await service.ask(_CALLER, ask)).decision
    except TierDown as fault:
        reason = Text(f"No answer  {one_entry(str(fault))}", style=_NO_ANSWER)
        console.print(Panel(reason, title=title, title_align="left"))
        return _Shown(asked=question, decision=None)
    shown = _Shown(asked=question, decision=decision)
    console.print(Panel(_laid_out(shown, decision, raw), title=title, title_align="left"))
    return shown


def _laid_out(shown: _Shown, decision: Decision, raw: int) -> Group:
    """Lay out a decision: the context, the answer, what it cites, how it came about."""
    brief = decision.brief
    cited = ", ".join(quote.turn_id for quote in decision.citations) or "none"
    expected = shown.asked.answer or "(never told)"
    return Group(
        Text(printable(brief.text), style="dim"),
        Text(f"\nAnswer     {one_entry(decision.answer)}", style=_STYLES[shown.mark] if shown.mark else _NO_ANSWER),
        Text(f"Citations  {cited}     Expected: {expected}     Counted as {shown.mark}"),
        Text(
            f"Context    {brief.tokens} of {raw:,} tokens ({raw / max(brief.tokens, 1):.0f}x less), "
            f"answerable {brief.answerable:.2f}, {decision.latency_ms} ms, path {decision.path}"
        ),
    )


def _summarise(shown: list[_Shown], raw: int, console: Console) -> None:
    decisions = [(one.asked, one.decision) for one in shown if one.decision]
    tokens = [decision.brief.tokens for _, decision in decisions] or [0]
    times = sorted(decision.latency_ms for _, decision in decisions) or [0]
    table = Table("figure", "value", title="In all")
    marks = Counter(one.mark for one in shown)
    stated = [one for one in decisions if one[0].answer]
    found = sum(in_words_of(decision.brief, asked) for asked, decision in stated)
    table.add_row("questions", str(len(shown)))
    table.add_row("answers right", str(marks["right"]))
    table.add_row("answers wrong, or right in part only", str(marks["wrong"]))
    table.add_row("abstained, though the history has the answer", str(marks["abstained"]))
    if marks[None]:
        table.add_row("no answer: the model said nothing, or too late", str(marks[None]))
    table.add_row("expected answer in the context's words", f"{found} of {len(stated)}")
    table.add_row("context tokens, mean / largest", f"{sum(tokens) / len(tokens):.0f} / {max(tokens)}")
    table.add_row("raw history tokens", f"{raw:,}")
    table.add_row("saving", f"{raw / max(1.0, sum(tokens) / len(tokens)):.0f}x")
    table.add_row("time per question, median", f"{times[len(times) // 2]} ms")
    console.print(table)


def _say_who_answered(settings: Settings, shown: list[_Shown], console: Console) -> None:
    known: list[tuple[Name, TierSettings | None]] = [("local", settings.local), ("frontier", settings.frontier)]
    tiers = [(name, one) for name, one in known if one]
    if tiers:
        models = ", ".join(f"{name}: {model_name(name, one)}" for name, one in tiers)
        paths = ", ".join(f"{path} {n}" for path, n in Counter(one.path for one in shown).most_common())
        console.print(f"Models answered ({models}). Paths: {paths}.")
        return
    console.print(
        "The answers are quotes and dates: no language model is configured. `tirtha serve` starts the service; "
        "README.md has the first requests."
    )
