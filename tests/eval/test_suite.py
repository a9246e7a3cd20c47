"""The suite: every benchmark is read again from the manifest of its run, those of former versions included."""

import json
from pathlib import Path
from typing import Any

import pytest

from eval.code.recordings import read_recorded
from eval.suite import BENCHMARKS, benchmark_of, smoke_parts
from memory.encoding.encoder import Encoder
from tirtha.settings import Settings

# What the version before the options models wrote: benchmark, config, data; and what must be read of it.
FORMER: list[tuple[str, dict[str, Any], list[str], dict[str, Any]]] = [
    ("niah", {"lengths": [1000], "hops": [1, 3], "depths": [0.5], "budget": 60, "seed": 1, "raw_window": 9, "pristine": True}, [],
     {"hops": (1, 3), "budget": 60}),
    ("ruler", {"tasks": ["vt"], "lengths": [4096], "samples": 1, "budget": 60, "seed": 1, "raw_window": 9, "pristine": True},
     ["vt.jsonl"], {"tasks": ("vt",), "budget": 60}),
    ("rot", {"lengths": [1000], "budget": 60, "seed": 1, "raw_window": 9, "pristine": True}, ["essays.txt"], {"budget": 60}),
    ("longmemeval", {"budget": 60, "limit": 1, "baselines": True, "judge": "local", "pristine": True, "embedding_model": "bundled"},
     ["s.json"], {"data": Path("s.json"), "judge": "local"}),
    ("evidence-locomo", {"set": "locomo", "size": None, "limit": 3, "excluded": ["a:1"], "embedding_model": "bundled",
                         "fitted_on": ["beam"], "weights_sha256": {}}, ["locomo.json"], {"set": "locomo", "limit": 3}),
    ("evidence-longmemeval", {"set": "longmemeval", "size": None, "limit": None, "excluded": []}, ["s.json"],
     {"data": Path("s.json")}),
    ("evidence-plain-facts", {"set": "plain-facts", "size": None, "limit": 2, "excluded": []}, ["ar.toml"], {"limit": 2}),
    ("recall-ablation", {"set": "beam", "size": "100K", "budget": 60, "limit": None, "excluded": []}, ["chat.json"],
     {"size": "100K", "budget": 60}),
    ("cascade", {"recordings": "rows.jsonl.gz", "limit": 4, "prices": {"small": "1 / 2 US$ a million tokens"}},
     ["rows.jsonl.gz", "Plus.jsonl.gz"], {"recordings": Path("rows.jsonl.gz")}),
    ("realtalk-qa", {"set": "realtalk", "budget": 60, "limit": None, "excluded": [], "judge": None, "pristine": False,
                     "systems": ["cascade", "stuffed"], "stuffed_tokens": 99, "hour_usd": 2.5, "questions": {}},
     ["Chat_1.json"], {"systems": ("cascade", "stuffed"), "stuffed_tokens": 99, "hour_usd": 2.5}),
    ("swe-bench", {"limit": 2, "checkouts": True}, ["verified.jsonl"], {"data": Path("verified.jsonl")}),
    ("ablation", {"budget": 60, "limit": 1, "arms": ["full"], "asked": 2}, ["locomo.json"],
     {"data": Path("locomo.json"), "budget": 60}),
    ("faithfulness", {"source": "ragtruth", "seed": 1, "limit": 5, "support_from": 0.5}, ["response.jsonl"],
     {"source": "ragtruth"}),
    ("preflight", {"mutants_per_task": 1, "limit": 24}, ["Plus.jsonl.gz"], {"hidden": Path("Plus.jsonl.gz")}),
    ("mbpp", {"gate": "public", "limit": None, "answers": "tiers", "pristine": True}, ["Mbpp.jsonl.gz"],
     {"set": "mbpp", "gate": "public"}),
]  # fmt: skip

# As they may be asked for: what differs from the defaults and is not easily kept.
ASKED: dict[str, dict[str, Any]] = {
    "ruler": {"official": {"vt": Path("/data/vt.jsonl")}, "squad": Path("/data/squad.json")},
    "cascade": {"price": {"small": "0.1/0.4"}},
    "locomo": {"exclude": Path("/data/errors.txt"), "models": Path("/data/weights")},
    "locomo-qa": {"systems": ("all",), "judge": "frontier"},
    "recall-ablation": {"set": "beam", "size": "100K"},
    "supersession": {"set": "plain-facts", "data": None},
}


def write_manifest(folder: Path, benchmark: str, config: object, data: list[str]) -> Path:
    manifest = {"benchmark": benchmark, "config": config, "data_sha256": dict.fromkeys(data, "0")}
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


@pytest.mark.parametrize(("benchmark", "config", "data", "read"), FORMER, ids=[one[0] for one in FORMER])
def test_runs_of_a_former_version_are_read(
    benchmark: str,
    config: dict[str, Any],
    data: list[str],
    read: dict[str, Any],
    tmp_path: Path,
    settings: Settings,
    encoder: Encoder,
) -> None:
    found = benchmark_of(write_manifest(tmp_path, benchmark, config, data), settings=settings, encoder=encoder)
    assert {name: getattr(found.options, name) for name in read} == read
    assert found.recorded == config


@pytest.mark.parametrize("name", BENCHMARKS)
def test_every_benchmark_is_read_from_its_own_manifest(
    name: str, tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    entry = BENCHMARKS[name]
    asked = entry.options.of({**ASKED.get(name, {}), **entry.fixed}, Path("/data/file.json"))
    found = benchmark_of(
        write_manifest(tmp_path, name, asked.config(), ["other.json"]), settings=settings, encoder=encoder
    )
    assert isinstance(found, entry.make)
    assert found.options.config() == asked.config()
    assert "/data" not in json.dumps(asked.config()), "a manifest names files, and not where they lay"


def test_the_small_run_names_what_it_lacks(tmp_path: Path, settings: Settings, encoder: Encoder) -> None:
    (tmp_path / "locomo_dev.json").touch()
    parts = {part.name: part for part in smoke_parts(settings, encoder, tmp_path)}
    assert {name for name, part in parts.items() if part.benchmark} == {
        "niah", "rot", "ruler", "plain-facts", "faithfulness", "locomo", "locomo-qa"
    }  # fmt: skip
    assert parts["preflight"].missing == "--data has no HumanEvalPlus.jsonl.gz"
    assert parts["locomo"].benchmark
    assert parts["locomo"].benchmark.options.files() == [tmp_path / "locomo_dev.json"]


def test_the_small_run_replays_the_recordings_that_come_with_the_project(
    tmp_path: Path, settings: Settings, encoder: Encoder
) -> None:
    problems = tmp_path / "HumanEvalPlus.jsonl.gz"
    problems.touch()
    [part] = [one for one in smoke_parts(settings, encoder, tmp_path) if one.name == "cascade"]
    assert part.benchmark
    recordings, *beside = part.benchmark.options.files()
    assert beside == [problems, tmp_path / "humaneval_public_tests.json"]
    models = {row.model for row in read_recorded(recordings)}
    assert models == set(part.benchmark.options.price), "each has its price"
