"""A GGUF file as a tier: what is wrong with it is reported by its setting, before anything is loaded."""

import sys
from pathlib import Path
from typing import Any

import pytest

from cascade.errors import Misconfigured
from cascade.tiers.gguf import installed_runtime
from tests.support.gguf import small_gguf
from tirtha.errors import SettingsInvalid
from tirtha.setting_sources import SettingSources
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.tiers import model_name, open_tiers, probe, tier_price


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_HOME", str(tmp_path))


def served(file: Path, **more: Any) -> Settings:
    return Settings(local=TierSettings(gguf=file, **more))


async def fault_of(settings: Settings) -> Misconfigured:
    [(name, said, fault)] = await probe(settings)
    assert isinstance(fault, Misconfigured)
    assert (name, said) == ("local", str(fault))
    with pytest.raises(Misconfigured) as caught:
        async with open_tiers(settings):
            pass
    assert str(caught.value) == str(fault)
    return fault


async def test_without_the_extra_the_command_that_installs_it_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "xllamacpp", None)  # how Python itself learns that there is no such package
    fault = await fault_of(served(tmp_path / "model.gguf"))
    assert fault.setting == "TIRTHA_LOCAL_GGUF"
    assert "pip install 'tirtha[gguf]'" in fault.why


async def test_it_is_asked_in_what_its_server_speaks(tmp_path: Path) -> None:
    fault = await fault_of(served(tmp_path / "model.gguf", protocol="anthropic"))
    assert fault.setting == "TIRTHA_LOCAL_PROTOCOL"
    assert "must be chat" in fault.why


@pytest.mark.skipif(installed_runtime() is None, reason="xllamacpp is not installed")
@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read (No such file"),
        (b"", "is no GGUF file: it does not begin with GGUF"),
        (b"GGUF\x03\x00\x00\x00", "is no GGUF file: it ends within its header"),
        (b"PK\x03\x04", "is no GGUF file"),
        ("", "cannot be read (Is a directory"),
    ],
)
async def test_a_file_that_cannot_be_one_is_refused_by_its_setting(
    content: bytes | str | None, why: str, tmp_path: Path
) -> None:
    file = tmp_path / "model.gguf"
    if isinstance(content, bytes):
        file.write_bytes(content)
    elif content is not None:
        file.mkdir()
    fault = await fault_of(served(file))
    assert (fault.setting, why in fault.why, str(file) in fault.why) == ("TIRTHA_LOCAL_GGUF", True, True)


@pytest.mark.parametrize(
    ("given", "wrong"),
    [
        ({"gguf": "m.gguf", "url": "http://x"}, "--local-url: and gguf are two servers: give one"),
        (
            {"gguf": "m.gguf", "gguf_threads": 0},
            "TIRTHA_LOCAL_GGUF_THREADS: Input should be greater than or equal to 1",
        ),
    ],
)
def test_settings_that_cannot_be_are_refused(given: dict[str, object], wrong: str) -> None:
    flags = {"local": {"url": None, "model": None, "gguf": None} | given}
    with pytest.raises(SettingsInvalid) as caught:
        SettingSources(**flags).read()
    assert caught.value.wrong[0].replace("--local-gguf-threads", "TIRTHA_LOCAL_GGUF_THREADS") == wrong


def test_a_file_is_configured_by_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_LOCAL_GGUF", "/models/small.gguf")
    monkeypatch.setenv("TIRTHA_LOCAL_GGUF_THREADS", "2")
    monkeypatch.setenv("TIRTHA_LOCAL_GGUF_CONTEXT_TOKENS", "4096")
    local = SettingSources().read().local
    assert local
    assert (local.gguf, local.gguf_threads, local.gguf_context_tokens) == (Path("/models/small.gguf"), 2, 4_096)
    assert model_name("local", local) == "small.gguf"
    assert tier_price("local", local).rates == "0 / 0 US$ a million tokens"


@pytest.mark.slow
async def test_the_tier_is_named_by_its_file_and_has_its_servers_window() -> None:
    file = small_gguf()
    settings = served(file, gguf_context_tokens=1_024, gguf_threads=1)
    [(_, said, fault)] = await probe(settings)
    assert fault is None
    assert file.name in said
    async with open_tiers(settings) as tiers:
        assert tiers.local
        assert (tiers.local.model, tiers.local.window_tokens) == (file.name, 1_024)
