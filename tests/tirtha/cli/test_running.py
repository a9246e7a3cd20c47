"""What ends a command with a line, and what with its traceback."""

import pytest
import typer

from tirtha.cli.running import CommandFailed, run
from tirtha.errors import BadLabels


async def fails(fault: Exception) -> None:
    raise fault


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (CommandFailed("say who asks"), "say who asks"),
        (BadLabels("line 3 is no JSON"), "line 3 is no JSON"),
        (FileNotFoundError(2, "No such file or directory", "/no/such"), "there is no /no/such: correct the path"),
    ],
    ids=["command", "service", "file"],
)
def test_what_a_user_did_wrong_is_one_line(fault: Exception, shown: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as ended:
        run(fails(fault))
    assert ended.value.exit_code == 1
    assert capsys.readouterr().err == f"{shown}\n"


@pytest.mark.parametrize("ours", [ValueError("too many values to unpack"), UnicodeDecodeError("utf-8", b"", 0, 1, "x")])
def test_a_fault_of_ours_keeps_its_traceback(ours: ValueError, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError) as ended:  # noqa: PT011 - the very same one
        run(fails(ours))
    assert ended.value is ours
    assert capsys.readouterr().err == ""
