"""The demo: remember the sample history, ask its questions, and show context, answer, citations and saving of each.

At the end it counts by the rule of `tirtha.sample.marking`: answers that are right, wrong and abstained, and contexts that tell the
expected answer.
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
from tirtha.caller import local_caller
from tirtha.operations.ask import AskRequest
from tirtha.operations.remember import RememberRequest
from tirtha.sample import SampleQuestion, sample_questions, sample_sessions
from tirtha.sample.marking import Mark, in_words_of, mark
from tirtha.service import Service
from tirtha.settings import Settings
from tirtha.terminal import one_entry, printable
from tirtha.wiring.service import open_service

__all__ = ["run_demo"]

_CALLER = local_caller()
_USER = "demo"
_STYLES: dict[Mark, str] = {"right": "bold green", "wrong": "bold red", "abstained": "bold yellow"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What the summary counts of one question."""

    asked: SampleQuestion
    decision: Decision

    @property
    def mark(self) -> Mark:
        """Whether the answer is right, wrong, or abstains where the history has one."""
        return mark(self.asked, self.decision)


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
    decision = (await service.ask(_CALLER, ask)).decision
    brief = decision.brief
    cited = ", ".join(quote.turn_id for quote in decision.citations) or "none"
    expected = question.answer or "(never told)"
    shown = _Shown(asked=question, decision=decision)
    body = Group(
        Text(printable(brief.text), style="dim"),
        Text(f"\nAnswer     {one_entry(decision.answer)}", style=_STYLES[shown.mark]),
        Text(f"Citations  {cited}     Expected: {expected}     Counted as {shown.mark}"),
        Text(
            f"Context    {brief.tokens} of {raw:,} tokens ({raw / max(brief.tokens, 1):.0f}x less), "
            f"answerable {brief.answerable:.2f}, {decision.latency_ms} ms"
        ),
    )
    console.print(Panel(body, title=Text(question.question, style="bold"), title_align="left"))
    return shown


def _summarise(shown: list[_Shown], raw: int, console: Console) -> None:
    tokens = [one.decision.brief.tokens for one in shown]
    times = sorted(one.decision.latency_ms for one in shown)
    table = Table("figure", "value", title="In all")
    marks = Counter(one.mark for one in shown)
    told = [one for one in shown if one.asked.answer]
    found = sum(in_words_of(one.decision.brief, one.asked) for one in told)
    table.add_row("questions", str(len(shown)))
    table.add_row("answers right", str(marks["right"]))
    table.add_row("answers wrong, or right in part only", str(marks["wrong"]))
    table.add_row("abstained, though the history has the answer", str(marks["abstained"]))
    table.add_row("expected answer in the context's words", f"{found} of {len(told)}")
    table.add_row("context tokens, mean / largest", f"{sum(tokens) / len(tokens):.0f} / {max(tokens)}")
    table.add_row("raw history tokens", f"{raw:,}")
    table.add_row("saving", f"{raw / (sum(tokens) / len(tokens)):.0f}x")
    table.add_row("time per question, median", f"{times[len(times) // 2]} ms")
    console.print(table)
    console.print(
        "The answers are quotes and dates: no language model is configured. `tirtha serve` starts the service; "
        "README.md has the first requests."
    )
