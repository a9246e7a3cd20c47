"""Recorded completions of code tasks, by any program: a row a call, read and written in one format.

A row says which task it belongs to, what was sent and with which limits, what came back, its tokens and its time. Rows of several
models may stand in one file. As recordings of the cascade they are found by their request: what was sent must be what is sent now.
"""

import gzip
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from cascade.model import ChatRequest, Completion, Message, Usage
from cascade.prompts import request_key
from cascade.tiers.recording import Recorded, append_line
from eval.code.data import format_of

__all__ = ["RecordedCompletion", "append_row", "messages_of", "read_recorded", "recordings_of", "write_recorded"]

Purpose = Literal["draft", "review"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCompletion:
    """A real completion that somebody recorded: the messages sent, the answer, its tokens and its time.

    The fields after `latency_s` are what the recordings of others do not say, with what was so in those that there are.
    `processor_s`: of one core, where the model ran on this machine.
    """

    problem: str
    model: str
    sample: int
    messages: tuple[tuple[str, str], ...]
    output: str
    prompt_tokens: int
    completion_tokens: int
    latency_s: float
    purpose: Purpose = "draft"
    finish_reason: str = "stop"
    max_tokens: int = 4_096
    temperature: float = 0.2
    processor_s: float | None = None

    @property
    def completion(self) -> Completion:
        """What the model answered."""
        usage = Usage(prompt_tokens=self.prompt_tokens, completion_tokens=self.completion_tokens)
        return Completion(text=self.output, model=self.model, finish_reason=self.finish_reason, usage=usage)


def read_recorded(file: Path) -> list[RecordedCompletion]:
    """Read recorded completions, in the order of the file. A last line that was cut short is left out.

    Raises OSError, and Unusable for files that are not of this format.
    """
    with format_of(file):
        text = gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes()
        lines = text.decode("utf-8").splitlines(keepends=True)
        return [_read(json.loads(line)) for line in lines if line.strip() and line.endswith("\n")]


def append_row(row: RecordedCompletion, file: Path) -> None:
    """Append a row to a file that is not compressed, in the place of a last line that was cut short."""
    append_line(file, _line(row))


def write_recorded(rows: Iterable[RecordedCompletion], file: Path) -> None:
    """Write rows, compressed; the same rows make the same bytes."""
    file.write_bytes(gzip.compress(b"".join(map(_line, rows)), mtime=0))


def messages_of(row: RecordedCompletion) -> tuple[Message, ...]:
    """Return the messages that were sent."""
    return tuple(Message(role=role, content=content) for role, content in row.messages)  # type: ignore[arg-type]


def recordings_of(rows: Sequence[RecordedCompletion], rotation: int = 0) -> dict[tuple[str, int], Recorded]:
    """Return rows of one model as recordings, by request; `rotation` says which sample is drawn first.

    How long a call took is in processor seconds, where they were measured: what else ran on the machine counts less in them.
    """
    samples = 1 + max((row.sample for row in rows), default=0)
    found: dict[tuple[str, int], Recorded] = {}
    for row in rows:
        sample = (row.sample - rotation) % samples
        request = ChatRequest(
            messages=messages_of(row), max_tokens=row.max_tokens, temperature=row.temperature, sample=sample
        )
        key = request_key(row.model, request)
        found[key, sample] = Recorded(
            key=key,
            sample=sample,
            model=row.model,
            request=request,
            completion=row.completion,
            latency_s=row.latency_s if row.processor_s is None else row.processor_s,
            at=datetime.fromtimestamp(0, UTC),
        )
    return found


def _read(row: dict[str, Any]) -> RecordedCompletion:
    added = ("purpose", "finish_reason", "max_tokens", "temperature", "processor_s")
    return RecordedCompletion(
        problem=row["task_id"],
        model=row["model"],
        sample=row["sample"],
        messages=tuple((message["role"], message["content"]) for message in row["messages"]),
        output=row["output"],
        prompt_tokens=row["prompt_tokens"],
        completion_tokens=row["completion_tokens"],
        latency_s=row["latency_s"],
        **{name: row[name] for name in added if name in row},
    )


def _line(row: RecordedCompletion) -> bytes:
    fields = asdict(row)
    fields["task_id"] = fields.pop("problem")
    fields["messages"] = [{"role": role, "content": content} for role, content in row.messages]
    return json.dumps(fields, ensure_ascii=False, sort_keys=True).encode() + b"\n"
