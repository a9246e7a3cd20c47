"""Options of a command from the fields of a model, and back."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest
import typer
from pydantic import Field, model_validator
from typer.testing import CliRunner, Result

from eval.commands.derived import options_of, with_options
from eval.harness.benchmark import Options


class Asked(Options):
    data: Path = Field(description="what is read")
    lengths: tuple[int, ...] = Field(default=(1_000, 2_000), description="tokens")
    tasks: tuple[str, ...] | None = Field(default=None, description="which")
    at: Mapping[str, Path] = Field(default={}, description="TASK=FILE")
    gate: Literal["public", "base"] = Field(default="base", description="what gates")
    sample_count: int = Field(default=5, ge=1, le=9, description="of each")
    fast: bool = Field(default=False, description="leave out what is slow")

    @model_validator(mode="after")
    def _not_both(self) -> "Asked":
        if self.tasks and self.at:
            raise ValueError("--tasks and --at cannot be had together")
        return self


def call(
    *words: str, without: tuple[str, ...] = (), fixed: Mapping[str, Any] | None = None
) -> tuple[Result, list[Asked]]:
    made: list[Asked] = []

    def command(*, quiet: bool = False, loud: bool = False, **given: Any) -> None:
        made.append(options_of(Asked, given, fixed or {}))

    app = typer.Typer()
    app.command()(with_options(command, Asked, without=without, data="a file of tests"))
    return CliRunner().invoke(app, words, env={"COLUMNS": "200"}), made


def test_every_field_is_an_option_and_goes_back_into_its_field() -> None:
    done, made = call(
        *(
            "--data",
            "here.json",
            "--lengths",
            "1_000,5",
            "--at",
            "a=x/y=z.json",
            "--at",
            "b=b.json",
            "--gate",
            "public",
        ),
        *("--sample-count", "9", "--fast"),
    )
    assert done.exit_code == 0, done.stderr
    assert made == [
        Asked(
            data=Path("here.json"), lengths=(1_000, 5), at={"a": Path("x/y=z.json"), "b": Path("b.json")},
            gate="public", sample_count=9, fast=True,
        )
    ]  # fmt: skip
    assert call("--data", "here.json")[1] == [Asked(data=Path("here.json"))], "defaults are the model's own"
    assert call("--data", "d", "--tasks", "a,b")[1] == [Asked(data=Path("d"), tasks=("a", "b"))]


def test_what_is_fixed_is_not_asked_for() -> None:
    fixed = {"data": Path("fixed"), "gate": "public"}
    done, made = call("--fast", without=("data", "gate", "loud"), fixed=fixed)
    assert made == [Asked(data=Path("fixed"), gate="public", fast=True)], done.stderr
    shown = call("--help", without=("data", "gate", "loud"))[0].stdout
    assert "--quiet" in shown
    assert not [name for name in ("--data", "--gate", "--loud") if name in shown]


def test_help_says_what_the_fields_say() -> None:
    shown = " ".join(call("--help")[0].stdout.split())
    for words in (
        "a file of tests",
        "[required]",
        "public|base",
        "1<=x<=9",
        "1000,2000",
        "separated by commas",
        "TASK=FILE",
    ):
        assert words in shown
    assert "--no-fast" not in shown


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--lengths", "few"), "--lengths: 'few'"),
        (("--sample-count", "10"), "--sample-count"),
        (("--gate", "none"), "--gate"),
        (("--tasks", "a", "--at", "b=b"), "--tasks and --at cannot be had together"),
    ],
)
def test_what_cannot_be_is_named(words: tuple[str, ...], why: str) -> None:
    done, made = call("--data", "d", *words)
    assert (done.exit_code, made) == (2, [])
    assert why in " ".join(done.stderr.split())
