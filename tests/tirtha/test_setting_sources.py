"""What is wrong with a setting is blamed on what said it: the flag, the variable or the file."""

from pathlib import Path
from typing import Any

import pytest

from tirtha.errors import SettingsInvalid
from tirtha.setting_sources import SettingSources

SERVE = ("host", "port", "home")


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_HOME", str(tmp_path))


def flags(**given: Any) -> dict[str, Any]:
    """The flags of `tirtha serve`, those that were not given as None."""
    tier = {"url": None, "model": None}
    return dict.fromkeys(SERVE) | {"local": tier, "frontier": tier} | given


def wrong(**given: Any) -> tuple[str, ...]:
    with pytest.raises(SettingsInvalid) as caught:
        SettingSources(**flags(**given)).read()
    return caught.value.wrong


def test_a_flag_is_blamed_though_a_variable_is_wrong_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_PORT", "many")
    assert wrong(port=99_999) == ("--port: Input should be less than or equal to 65535",)
    [lines] = wrong()
    assert lines.startswith("TIRTHA_PORT: ")


def test_each_of_several_is_blamed_on_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tirtha.toml").write_text('budget = 0\n[policy]\nraw = "perhaps"\n')
    monkeypatch.setenv("TIRTHA_LOG_LEVEL", "loud")
    monkeypatch.setenv("TIRTHA_LOCAL_TRIES", "0")
    lines = {line.partition(": ")[0] for line in wrong(local={"url": "ftp://x", "model": None})}
    file = tmp_path / "tirtha.toml"
    assert lines == {
        "--local-url",
        "TIRTHA_LOG_LEVEL",
        "TIRTHA_LOCAL_TRIES",
        f"budget in {file}",
        f"policy.raw in {file}",
    }


@pytest.mark.parametrize(
    ("given", "variable", "file", "blamed"),
    [
        ({"local": {"url": None, "model": "m"}}, None, None, "--local-url: is required, unless gguf names a file"),
        ({}, "TIRTHA_LOCAL_MODEL", None, "TIRTHA_LOCAL_URL: is required, unless gguf names a file"),
        ({}, None, '[local]\nmodel = "m"\n', "local.url in {file}: is required, unless gguf names a file"),
        ({}, None, "buget = 1\n", "buget in {file}: is not a setting"),
        ({}, None, "port = \n", "{file} is no TOML: Invalid value (at line 1, column 8); correct that line"),
        ({}, None, b"\xff\xfe", "{file} is not UTF-8 (invalid start byte at byte 1)"),
    ],
)
def test_what_is_missing_or_broken_names_its_place(
    given: dict[str, Any],
    variable: str | None,
    file: str | bytes | None,
    blamed: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = tmp_path / "tirtha.toml"
    if file is not None:
        place.write_bytes(file if isinstance(file, bytes) else file.encode())
    if variable:
        monkeypatch.setenv(variable, "m")
    assert wrong(**given) == (blamed.format(file=place),)


@pytest.mark.parametrize("text", ["a,b", '["a"', "[1.5]"])
def test_a_broken_list_in_a_variable_names_the_variable(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_POLICY_LADDER", text)
    assert all(lines.startswith("TIRTHA_POLICY_LADDER: ") for lines in wrong())


def test_a_ladder_is_set_as_names_are(monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("330, 660", "[330, 660]"):
        monkeypatch.setenv("TIRTHA_POLICY_LADDER", text)
        assert SettingSources().read().policy.ladder == (330, 660)


def test_the_file_lies_in_the_folder_that_the_flag_names(tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "tirtha.toml").write_text("budget = 330\n")
    assert SettingSources(**flags(home=other)).read().budget == 330
    (other / "tirtha.toml").write_text("budget = 0\n")
    [lines] = wrong(home=other)
    assert lines.startswith(f"budget in {other / 'tirtha.toml'}: ")


def test_a_file_that_is_a_folder_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "tirtha.toml").mkdir()
    assert "is a folder, not a file" in wrong()[0]
    monkeypatch.setenv("TIRTHA_CONFIG", str(tmp_path / "none.toml"))
    assert f"TIRTHA_CONFIG names {tmp_path / 'none.toml'}" in wrong()[0]


@pytest.mark.parametrize(
    ("variable", "given", "name"),
    [
        ("TIRTHA_LOCAL_MODEL", {"local": {"url": "http://x", "model": "m"}}, "--local-model"),
        # No flag sets a price, so the variable that would is named.
        (
            "TIRTHA_LOCAL_INPUT_USD_PER_MTOK",
            {"local": {"url": "http://x", "model": "m"}},
            "TIRTHA_LOCAL_INPUT_USD_PER_MTOK",
        ),
        ("TIRTHA_SHADOW_SHARE", {}, "TIRTHA_SHADOW_SHARE"),
    ],
)
def test_what_the_engine_refuses_is_named_as_it_was_set(variable: str, given: dict[str, Any], name: str) -> None:
    assert SettingSources(**flags(**given)).named_variable(variable) == name
