"""`tirtha eval` as a user calls it: runs are listed, compared and reported again; mistakes end in one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.eval.beam.chats import write_chat
from tirtha.cli.app import app


def tirtha(home: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ["eval", *words], env={"TIRTHA_HOME": str(home), "COLUMNS": "200"})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two runs of the needle test, of different budgets."""
    folder = tmp_path_factory.mktemp("home")
    for budget in ("165", "60"):
        done = tirtha(folder, "niah", "--lengths", "1000", "--hops", "1,3", "--budget", budget)
        assert done.exit_code == 0, done.stderr
        assert "No model was configured" in done.stdout
    return folder


@pytest.mark.slow
def test_runs_are_listed_and_compared(home: Path) -> None:
    listed = tirtha(home, "list").stdout
    assert listed.count("niah") >= 2
    assert listed.count("finished") == 2
    names = sorted(folder.name for folder in (home / "eval" / "runs").iterdir())
    compared = tirtha(home, "compare", *names)
    assert compared.exit_code == 0, compared.stderr
    assert "evidence recall" in compared.stdout
    assert "-0." in compared.stdout, "a smaller budget finds less"


def test_a_report_is_made_again(home: Path) -> None:
    folder = min((home / "eval" / "runs").iterdir())
    before = (folder / "summary.json").read_text()
    (folder / "report.html").unlink()
    done = tirtha(home, "report", folder.name)
    assert done.exit_code == 0, done.stderr
    assert (folder / "summary.json").read_text() == before
    assert "<svg" in (folder / "report.html").read_text()


def test_an_evidence_report_is_made_and_made_again(tmp_path: Path) -> None:
    write_chat(tmp_path / "100K" / "2")
    home = tmp_path / "home"
    done = tirtha(home, "beam", "--data", str(tmp_path), "--size", "100K")
    assert done.exit_code == 0, done.stderr
    for title in ("evidence recall, beam, 100K", "answer contained, beam, 100K", "Where a plain search is better"):
        assert title in done.stdout
    [folder] = (home / "eval" / "runs").iterdir()
    before = (folder / "summary.json").read_text()
    assert tirtha(home, "report", folder.name).exit_code == 0
    assert (folder / "summary.json").read_text() == before


@pytest.mark.slow
def test_recalls_parts_are_switched_off_on_facts_that_need_no_file(tmp_path: Path) -> None:
    home = tmp_path / "home"
    done = tirtha(home, "recall-ablation", "--set", "plain-facts", "--limit", "2")
    assert done.exit_code == 0, done.stderr
    for shown in ("Unseen conversations, budget 165", "zh", "What each part is worth", "meaning", "supersession"):
        assert shown in done.stdout
    [folder] = (home / "eval" / "runs").iterdir()
    before = (folder / "summary.json").read_text()
    assert tirtha(home, "report", folder.name).exit_code == 0
    assert (folder / "summary.json").read_text() == before


def test_supersession_is_weighed_and_reported_again(tmp_path: Path) -> None:
    write_chat(tmp_path / "100K" / "2")
    home = tmp_path / "home"
    done = tirtha(home, "supersession", "--set", "beam", "--data", str(tmp_path), "--size", "100K")
    assert done.exit_code == 0, done.stderr
    assert "marked" in done.stdout
    [folder] = (home / "eval" / "runs").iterdir()
    before = (folder / "summary.json").read_text()
    assert json.loads(before)["figures"]["knowledge_update, 165"]["n"] == 1
    assert tirtha(home, "report", folder.name).exit_code == 0
    assert (folder / "summary.json").read_text() == before


def test_costs_of_nothing_are_nothing(tmp_path: Path) -> None:
    done = tirtha(tmp_path / "home", "cost")
    assert done.exit_code == 0, done.stderr
    assert "none yet" in done.stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("report", "no-such-run"), "holds no run"),
        (("compare", "one"), "two runs, or more"),
        (("niah", "--lengths", "few"), "--lengths: 'few'"),
        (("niah", "--lengths", "100"), "more than the 100"),
        (("longmemeval", "--data", "nothing.json"), "nothing.json"),
        (("locomo", "--data", "nothing.json"), "nothing.json"),
        (("realtalk", "--data", "nothing"), "nothing holds no chat"),
        (("plain-facts", "--models", "nothing"), "nothing/reranker.json"),
        (("beam", "--data", "nothing", "--size", "100K"), "nothing holds no chat of BEAM of size 100K"),
        (("recall-ablation", "--set", "realtalk", "--data", "nothing"), "nothing holds no chat"),
        (("recall-ablation", "--set", "beam"), "beam is read from a file or folder: --data"),
        (("supersession", "--set", "plain-facts"), "no question about an update or a contradiction"),
        (("cascade", "--recordings", "nothing", "--price", "small=dear"), "--price"),
        (("ruler", "--tasks", "qa_1"), "needs a file of SQuAD"),
    ],
)
def test_mistakes_end_in_one_line(tmp_path: Path, words: tuple[str, ...], why: str) -> None:
    done = tirtha(tmp_path / "home", *words)
    assert done.exit_code != 0
    assert why in " ".join(done.stderr.split())
    assert done.exception is None or isinstance(done.exception, SystemExit)


def test_a_run_of_something_unknown_is_named(home: Path, tmp_path: Path) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "manifest.json").write_text(json.dumps({"benchmark": "other", "config": {}, "data_sha256": {}}))
    done = tirtha(home, "report", str(folder))
    assert done.exit_code == 1
    assert "which this version does not know" in done.stderr
