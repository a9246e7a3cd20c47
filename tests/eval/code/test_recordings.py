"""Recorded completions: one format for those of others and our own."""

import gzip
import json
from dataclasses import replace
from pathlib import Path

import pytest

from cascade.prompts import request_key
from eval.code.recordings import RecordedCompletion, append_row, read_recorded, recordings_of, write_recorded

ROW = RecordedCompletion(
    problem="HumanEval/0", model="small", sample=0, messages=(("system", "Write."), ("user", "Halve 8 µm.")),
    output="```python\nx = '½'\n```", prompt_tokens=30, completion_tokens=9, latency_s=4.0, purpose="review",
    finish_reason="length", max_tokens=64, temperature=0.0, processor_s=1.5,
)  # fmt: skip


@pytest.mark.parametrize("processor_s", [1.5, None])
def test_what_is_written_is_read(tmp_path: Path, processor_s: float | None) -> None:
    rows = [replace(ROW, processor_s=processor_s), replace(ROW, sample=1, purpose="draft")]
    write_recorded(rows, tmp_path / "rows.jsonl.gz")
    assert read_recorded(tmp_path / "rows.jsonl.gz") == rows
    before = (tmp_path / "rows.jsonl.gz").read_bytes()
    write_recorded(rows, tmp_path / "rows.jsonl.gz")
    assert (tmp_path / "rows.jsonl.gz").read_bytes() == before


def test_a_line_that_was_cut_short_is_left_out(tmp_path: Path) -> None:
    file = tmp_path / "rows.jsonl"
    append_row(ROW, file)
    append_row(replace(ROW, sample=1), file)
    file.write_bytes(file.read_bytes()[:-9])
    assert read_recorded(file) == [ROW]
    append_row(replace(ROW, sample=2), file)
    assert [row.sample for row in read_recorded(file)] == [0, 2]


def test_rows_of_others_say_less(tmp_path: Path) -> None:
    row = {
        "task_id": "HumanEval/0", "model": "m", "sample": 2, "messages": [{"role": "user", "content": "Halve."}],
        "output": "x", "prompt_tokens": 3, "completion_tokens": 1, "latency_s": 0.5,
    }  # fmt: skip
    (tmp_path / "rows.jsonl.gz").write_bytes(gzip.compress(json.dumps(row).encode() + b"\n"))
    [read] = read_recorded(tmp_path / "rows.jsonl.gz")
    assert (read.problem, read.sample, read.messages) == ("HumanEval/0", 2, (("user", "Halve."),))
    assert (read.purpose, read.finish_reason, read.max_tokens, read.temperature) == ("draft", "stop", 4_096, 0.2)
    assert read.processor_s is None


def test_a_recording_is_found_by_its_whole_request() -> None:
    [((key, sample), found)] = recordings_of([ROW]).items()
    assert (key, sample) == (request_key("small", found.request), 0)
    assert (found.request.max_tokens, found.request.temperature) == (64, 0.0)
    assert (found.completion.text, found.completion.finish_reason) == (ROW.output, "length")
    [(other, _)] = recordings_of([replace(ROW, messages=(("user", "Halve 9 µm."),))])
    assert other != key


@pytest.mark.parametrize(("processor_s", "took_s"), [(1.5, 1.5), (None, 4.0)])
def test_a_call_took_its_processor_seconds_where_they_are_known(processor_s: float | None, took_s: float) -> None:
    [found] = recordings_of([replace(ROW, processor_s=processor_s)]).values()
    assert found.latency_s == took_s


@pytest.mark.parametrize(("rotation", "first"), [(0, "a"), (1, "b"), (2, "c")])
def test_a_rotation_draws_another_sample_first(rotation: int, first: str) -> None:
    rows = [replace(ROW, sample=n, output=text) for n, text in enumerate("abc")]
    recorded = recordings_of(rows, rotation)
    assert len(recorded) == 3
    assert next(one.completion.text for (_, sample), one in recorded.items() if sample == 0) == first
