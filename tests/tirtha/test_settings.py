from pathlib import Path

import pytest
from pydantic import ValidationError

from tirtha.errors import SettingsInvalid
from tirtha.setting_sources import SettingSources
from tirtha.settings import Settings


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_HOME", str(tmp_path))


def test_environment_goes_before_the_file_and_the_file_before_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tirtha.toml").write_text("budget = 330\nport = 9000\n")
    monkeypatch.setenv("TIRTHA_PORT", "9001")
    settings = Settings()
    assert (settings.budget, settings.port, settings.host) == (330, 9001, "127.0.0.1")
    assert settings.folder == tmp_path
    assert Settings(port=1).port == 1


def test_another_file_can_be_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own.toml").write_text("budget = 82\n")
    monkeypatch.setenv("TIRTHA_CONFIG", str(tmp_path / "own.toml"))
    assert Settings().budget == 82
    monkeypatch.setenv("TIRTHA_CONFIG", str(tmp_path / "none.toml"))
    with pytest.raises(FileNotFoundError, match=r"none\.toml"):
        Settings()


def test_a_typo_in_the_file_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "tirtha.toml").write_text("buget = 330\n")
    with pytest.raises(ValidationError, match="buget"):
        Settings()


@pytest.mark.parametrize(
    ("name", "value"), [("BUDGET", "0"), ("PORT", "70000"), ("ABSTAIN_BELOW", "2"), ("LOG_LEVEL", "loud")]
)
def test_a_value_out_of_range_is_an_error(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"TIRTHA_{name}", value)
    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("", ()),
        ("default", ("default",)),
        (" default , /models/qwen.gguf,", ("default", "/models/qwen.gguf")),
        ('["a,b"]', ("a,b",)),
    ],
)
def test_names_of_models_are_separated_by_commas_in_the_environment(
    text: str, names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TIRTHA_LOCAL_URL", "http://127.0.0.1:8000/v1")
    monkeypatch.setenv("TIRTHA_LOCAL_ACCEPTED_MODELS", text)
    local = Settings().local
    assert local
    assert local.accepted_models == names


def test_names_of_models_are_a_list_in_the_file(tmp_path: Path) -> None:
    file = tmp_path / "tirtha.toml"
    file.write_text('[local]\nurl = "http://127.0.0.1:8000/v1"\naccepted_models = ["default", "a,b"]\n')
    local = Settings().local
    assert local
    assert local.accepted_models == ("default", "a,b")
    file.write_text('[local]\nurl = "http://127.0.0.1:8000/v1"\naccepted_models = [7]\n')
    with pytest.raises(ValidationError, match="accepted_models"):
        Settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_DATABASE_URL", "postgresql+psycopg://me:hush@127.0.0.1/x")
    assert "hush" not in repr(Settings())


def test_secrets_may_stand_in_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "secret"
    file.write_bytes(b"hush\r\n")
    monkeypatch.setenv("TIRTHA_FRONTIER_URL", "http://127.0.0.1:8000/v1")
    for name in ("DATABASE_URL", "KEY", "FRONTIER_KEY"):
        monkeypatch.setenv(f"TIRTHA_{name}_FILE", str(file))
    (tmp_path / "tirtha.toml").write_text(f'[local]\nurl = "http://127.0.0.1:8001/v1"\nkey_file = "{file}"\n')
    settings = Settings()
    assert settings.local
    assert settings.frontier
    for secret in (settings.database_url, settings.key, settings.local.key, settings.frontier.key):
        assert secret
        assert secret.get_secret_value() == "hush"
    assert "hush" not in repr(settings)


@pytest.mark.parametrize("name", ["DATABASE_URL", "KEY", "LOCAL_KEY"])
@pytest.mark.parametrize(
    ("content", "beside", "why"),
    [
        (b"hush", "hush too", "is given beside"),
        (None, "", "cannot be read: No such file"),
        (b"\n", "", "is empty"),
        (b"hush\xff", "", "is not UTF-8"),
    ],
    ids=["both", "missing", "empty", "bytes"],
)
def test_a_secret_in_a_file_that_cannot_be_used(
    name: str, content: bytes | None, beside: str, why: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "secret"
    if content is not None:
        file.write_bytes(content)
    monkeypatch.setenv("TIRTHA_LOCAL_URL", "http://127.0.0.1:8000/v1")
    monkeypatch.setenv(f"TIRTHA_{name}_FILE", str(file))
    monkeypatch.setenv(f"TIRTHA_{name}", beside)
    with pytest.raises(SettingsInvalid) as caught:
        SettingSources().read()
    [line] = caught.value.wrong
    assert line.startswith(f"TIRTHA_{name}_FILE: ")
    assert why in line
    assert "hush" not in line
