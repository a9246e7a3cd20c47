"""SWE-bench: patches from the cheap tier, from the frontier tier where the cheap one's does not apply, in the official format.

Jimenez et al., ICLR 2024. Gold patches and tests are dropped when instances are read: nobody sees them. Whether an issue is
resolved only the official harness can say (`eval.swe_bench.harness`); a run reports what was made, parses and applies, no score.
"""

import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib.resources import files
from pathlib import Path
from string import Template
from time import perf_counter

from pydantic import Field

from cascade.call_trace import Trace
from cascade.errors import CascadeFault, TooLong
from cascade.model import ChatRequest, Message
from cascade.tiers.model import ModelTier
from compaction.tokens import count_tokens
from eval.errors import Unusable
from eval.harness.benchmark import Benchmark, FirstOnly, Options, Sample, Work
from eval.harness.intervals import share_bounds
from eval.harness.report import Json, Report, Table
from eval.long_context.hidden_facts import configured_models
from eval.swe_bench.patches import Checked, check_patch, extract_patches, named_files, read_file_at
from tirtha.wiring.tiers import open_tiers

__all__ = ["Instance", "SweBench", "SweOptions", "predictions_name", "read_instances"]

_DEADLINE_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """An issue to resolve: what a solver may know of it."""

    id: str
    repo: str
    commit: str
    issue: str


def read_instances(file: Path) -> dict[str, Instance]:
    """Read instances (JSON lines, or one JSON list), without gold patches and tests. Raises Unusable, OSError."""
    try:
        text = file.read_text("utf-8")
        rows = (
            json.loads(text)
            if text.lstrip().startswith("[")
            else [json.loads(one) for one in text.split("\n") if one.strip()]
        )
        return {
            row["instance_id"]: Instance(
                id=row["instance_id"], repo=row["repo"], commit=row["base_commit"], issue=row["problem_statement"]
            )
            for row in rows
        }
    except (json.JSONDecodeError, KeyError, TypeError) as fault:
        raise Unusable(f"{file} is not in SWE-bench's format: {fault!r}") from fault


@dataclass(frozen=True, slots=True, kw_only=True)
class _Made:
    """The patch that stands so far, who wrote it, and what its check says."""

    patch: str
    by: str
    checked: Checked

    @property
    def good(self) -> bool:
        """Whether no other tier need be asked."""
        return self.checked.parses if self.checked.applies is None else self.checked.applies


class SweOptions(Options):
    """Which instances. `repos` holds git checkouts named `owner__name`; without one a patch is parsed, and not tried."""

    data: Path = Field(description="SWE-bench instances (JSON lines)")
    repos: Path | None = Field(default=None, description="a folder of git checkouts, owner__name, to try patches on")
    limit: FirstOnly = None

    def files(self) -> list[Path]:
        """Return the instances: a checkout's commit is named in them."""
        return [self.data]


@dataclass(frozen=True, kw_only=True)
class SweBench(Benchmark[SweOptions]):
    """The benchmark; ids are the instances'."""

    @property
    def models(self) -> dict[str, Json]:
        """Who writes the patches."""
        return configured_models(self.settings)

    @cached_property
    def _instances(self) -> dict[str, Instance]:
        return dict(list(read_instances(self.options.data).items())[: self.options.limit])

    def ids(self) -> list[str]:
        """Name the instances."""
        return list(self._instances)

    @asynccontextmanager
    async def answering(self, wanted: Sequence[str]) -> AsyncIterator[Work]:  # noqa: ARG002 - each is asked on its own
        """Write patches. Raises Unusable where no model is configured."""
        if not (self.settings.local or self.settings.frontier):
            raise Unusable("no model writes patches: set TIRTHA_LOCAL_URL or TIRTHA_FRONTIER_URL")
        async with open_tiers(self.settings) as tiers:
            ladder = [tier for tier in (tiers.local, tiers.frontier) if tier]

            async def work(id_: str) -> Sample:
                return await self._resolve(self._instances[id_], ladder)

            yield work

    async def _resolve(self, instance: Instance, ladder: Sequence[ModelTier]) -> Sample:
        """Ask the tiers in order until a patch applies (or parses, without a checkout); the last one stands if none does.

        A tier that fails leaves the issue to the next. If no patch is good then, the sample is an error and tried again, but for an
        issue that is only too long for a tier: it will be the next time as well.
        """
        checkout = self._checkout(instance)
        trace = Trace(started_s=perf_counter(), deadline_s=_DEADLINE_S)
        made = _Made(patch="", by="", checked=Checked(parses=False, applies=None))
        faults: list[str] = []
        settled = False
        for tier in ladder:
            try:
                completion = await tier.ask(_request(instance, checkout, tier), trace, purpose="patch")
                made = _best_of(completion.text, tier.name, checkout=checkout, commit=instance.commit)
                settled = True
            except TooLong as fault:
                faults.append(f"{tier.name}: {fault}")
            except (CascadeFault, ValueError) as fault:
                faults.append(f"{tier.name}: {fault}")
                settled = False
            if made.good:
                break
        cost = sum(call.cost_nanousd for call in trace.calls)
        if not (made.good or settled):
            return Sample(id=instance.id, fault="; ".join(faults), cost_nanousd=cost)
        value: dict[str, Json] = {
            "patch": made.patch, "by": made.by, "parses": made.checked.parses, "applies": made.checked.applies,
            "why": made.checked.why, "passed_over": "; ".join(faults), "model": self._model_name,
            "tokens": sum(call.usage.prompt_tokens + call.usage.completion_tokens for call in trace.calls),
        }  # fmt: skip
        return Sample(id=instance.id, value=value, cost_nanousd=cost)

    def _checkout(self, instance: Instance) -> Path | None:
        if self.options.repos is None:
            return None
        folder = self.options.repos / instance.repo.replace("/", "__")
        return folder if (folder / ".git").exists() else None

    @property
    def _model_name(self) -> str:
        """Name the run as the harness may use it: it becomes part of file, folder and container names."""
        tiers = [("local", self.settings.local), ("frontier", self.settings.frontier)]
        names = ["tirtha", *(tier.model or name for name, tier in tiers if tier)]
        return "-".join(re.sub(r"[^\w.]+", "-", name).strip("-") for name in names)

    def marks(self, answer: Sample, score: Sample | None) -> dict[str, float]:  # noqa: ARG002 - nothing is scored here
        """Return whether the patch parses and applies."""
        applies = answer.value["applies"]
        return {"parses": float(bool(answer.value["parses"]))} | (
            {} if applies is None else {"applies": float(bool(applies))}
        )

    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:  # noqa: ARG002
        """Say what was made, and write the official predictions; nothing is called resolved."""
        done = [one for one in answers if not one.fault]
        tried = [one for one in done if one.value["applies"] is not None]
        counts = {
            "patches": (sum(bool(one.value["patch"]) for one in done), len(done)),
            "parse": (sum(bool(one.value["parses"]) for one in done), len(done)),
            "apply, where there is a checkout": (sum(bool(one.value["applies"]) for one in tried), len(tried)),
            "by the frontier tier": (sum(one.value["by"] == "frontier" for one in done), len(done)),
        }
        table = Table("", "count", "n", "95%", title="SWE-bench predictions")
        for name, (count, n) in counts.items():
            table.add_row(name, str(count), str(n), share_bounds(count, n))
        cost = sum(one.cost_nanousd for one in answers)
        table.caption = (
            f"errors: {len(answers) - len(done)}; US$ {cost / 1e9:.6f}; only the harness can say what is resolved"
        )
        lines = "".join(
            json.dumps(
                {"instance_id": one.id, "model_name_or_path": one.value["model"], "model_patch": one.value["patch"]}
            )
            + "\n"
            for one in done
        )
        figures: dict[str, Json] = {name: {"count": count, "n": n} for name, (count, n) in counts.items()}
        return Report(
            title="SWE-bench",
            figures={**figures, "errors": len(answers) - len(done), "cost_nanousd": cost},
            tables=[table],
            notes=["Nothing here says that an issue is resolved."],
            files={predictions_name(lines): lines},
        )


def _best_of(reply: str, by: str, *, checkout: Path | None, commit: str) -> _Made:
    """Give the first patch of a reply that applies, or else its first one; without a checkout what it says last of each file."""
    patches = extract_patches(reply) or [""]
    patches = patches if checkout else patches[-1:]
    made = [_Made(patch=one, by=by, checked=check_patch(one, checkout=checkout, commit=commit)) for one in patches]
    return next((one for one in made if one.good), made[0])


def predictions_name(lines: str) -> str:
    """Name a predictions file by its content: the harness caches by run and instance, whatever the patch."""
    return f"predictions_{sha256(lines.encode()).hexdigest()[:12]}.jsonl"


def _request(instance: Instance, checkout: Path | None, tier: ModelTier) -> ChatRequest:
    """Put the issue and the files that it names before the model, as many as its window holds. Raises TooLong."""
    template = Template((files("eval") / "prompts" / "swe_bench.md").read_text("utf-8"))
    room = tier.window_tokens - tier.max_tokens - count_tokens(template.substitute(issue=instance.issue, files="")) - 64
    if room < 0:
        raise TooLong(tokens=tier.window_tokens - room, window_tokens=tier.window_tokens)
    shown: list[str] = []
    for file in named_files(instance.issue, checkout, instance.commit) if checkout else ():
        text = read_file_at(checkout, instance.commit, file) if checkout else None
        if text is None:
            continue
        named = f"{file}:\n\n{text}"
        size = count_tokens(named) + 2
        if size <= room:
            shown.append(named)
            room -= size
    prompt = template.substitute(issue=instance.issue, files="\n\n".join(shown) or "(none are at hand)")
    return ChatRequest(messages=(Message(role="user", content=prompt),), max_tokens=tier.max_tokens)
