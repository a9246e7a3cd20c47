"""The one port of all benchmarks: what is asked of one, what it makes of a sample, and what its report is.

The runner (`eval.harness.runs`) knows nothing else of a benchmark. Which benchmarks there are is in `eval.suite`.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Generic, Self, TypeVar, cast

from pydantic import BaseModel, ConfigDict, Field

from eval.harness.report import Json, Report
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

__all__ = ["Benchmark", "Budget", "FirstOnly", "Options", "Sample", "Seed", "Work"]

Budget = Annotated[int, Field(ge=1, description="tokens of a context")]
FirstOnly = Annotated[int | None, Field(ge=1, description="only the first so many")]
Seed = Annotated[int, Field(description="the same seed makes the same data")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One finished sample: what came of it, what it cost; `fault` says why nothing came of it."""

    id: str
    value: Mapping[str, Json] = field(default_factory=dict)
    cost_nanousd: int = 0
    fault: str = ""


Work = Callable[[str], Awaitable[Sample]]


class Options(BaseModel):
    """What may be asked of a benchmark. The options of its command and the config in its manifests follow from the fields.

    A field's description is the help of its option. Tuples are separated by commas on the command line. Mappings are given as
    NAME=VALUE, once for each name.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    def files(self) -> list[Path]:
        """Return the files that are read, whose contents decide the figures: by default every path that is given."""
        values = [getattr(self, name) for name in type(self).model_fields]
        flat = [one for value in values for one in (value.values() if isinstance(value, Mapping) else [value])]
        return [one for one in flat if isinstance(one, Path)]

    def config(self) -> dict[str, Json]:
        """Return the fields as a manifest holds them. A file stands there by its name; its hash stands beside it."""
        return cast(dict[str, Json], json.loads(json.dumps(self.model_dump(), default=_in_words)))

    @classmethod
    def of(cls, given: Mapping[str, Any], file: Path | None) -> Self:
        """Return options from values that need not be complete: `file` is what `data`, or a required field, lacks.

        Raises ValueError for values that cannot be.
        """
        needed = [name for name, one in cls.model_fields.items() if one.is_required() or name == "data"]
        lacking = [name for name in needed if name not in given]
        return cls(**(dict.fromkeys(lacking, file) if file else {}), **given)


def _in_words(value: object) -> str:
    return value.name if isinstance(value, Path) else str(value)


AnyOptions = TypeVar("AnyOptions", bound=Options)


@dataclass(frozen=True, kw_only=True)
class Benchmark(ABC, Generic[AnyOptions]):
    """A benchmark; most need `ids`, `answering`, `marks` and `report`.

    recorded: the config of a run that is only read, from its manifest; None for a run that is made.
    """

    options: AnyOptions
    settings: Settings
    encoder: Encoder
    recorded: Mapping[str, Any] | None = None

    @property
    def models(self) -> Mapping[str, Json]:
        """The models that answer, with their prices; by default none does."""
        return {}

    def facts(self) -> Mapping[str, Json]:
        """Return what the manifest's config holds beyond the options: what the report needs and only the data says."""
        return {}

    @abstractmethod
    def ids(self) -> Sequence[str]:
        """Return the ids of the samples, in order. Raises Unusable and OSError for data that cannot be used."""

    @abstractmethod
    def answering(self, wanted: Sequence[str]) -> AbstractAsyncContextManager[Work]:
        """Open what answers one sample; `wanted` are those that are left."""

    def scoring(self, answers: Mapping[str, Sample]) -> AbstractAsyncContextManager[Work] | None:  # noqa: ARG002 - for those that do
        """Open what scores one answer, once all are sealed; None if answers carry their own figures."""
        return None

    def marks(self, answer: Sample, score: Sample | None) -> Mapping[str, float]:  # noqa: ARG002 - for those that do
        """Return what one sample counts for, by name, 0 to 1: what two runs are compared by."""
        return {}

    @abstractmethod
    def report(self, answers: Sequence[Sample], scores: Mapping[str, Sample]) -> Report:
        """Return what follows from the rows, given in the order of their ids, the options and `recorded`; nothing else is used."""
