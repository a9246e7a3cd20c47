"""What is said of models' names before anything is asked, and that settings reach the tiers."""

from pathlib import Path

import pytest
from pydantic import SecretStr

from cascade.errors import Misconfigured
from tests.support.chat_server import chat_server
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.tiers import open_tiers, probe


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIRTHA_HOME", str(tmp_path))


def asking(url: str, model: str, *accepted: str) -> Settings:
    tier = TierSettings(url=url, model=model, accepted_models=accepted, input_usd_per_mtok=0, output_usd_per_mtok=0)
    return Settings(local=tier)


async def seen(models: tuple[str, ...], model: str, *accepted: str) -> tuple[str, Exception | None]:
    with chat_server(*models) as server:
        [(name, said, fault)] = await probe(asking(server.url, model, *accepted))
    assert name == "local"
    return said, fault


async def test_the_only_model_of_a_server_is_offered_with_the_setting_that_accepts_it() -> None:
    said, fault = await seen(("/models/qwen.gguf",), "qwen")
    assert isinstance(fault, Misconfigured)
    assert fault.setting == "TIRTHA_LOCAL_MODEL"
    for words in ("'qwen'", "'/models/qwen.gguf'", "accepted_models", "TIRTHA_LOCAL_ACCEPTED_MODELS=/models/qwen.gguf"):
        assert words in said


async def test_of_several_models_none_is_offered_as_another_name() -> None:
    said, fault = await seen(("small", "large"), "qwen")
    assert isinstance(fault, Misconfigured)
    assert "it has: small, large" in said
    assert "accepted_models" not in said


@pytest.mark.parametrize("models", [("default",), ("small", "openai/default")])
async def test_a_model_under_an_accepted_name_is_well(models: tuple[str, ...]) -> None:
    said, fault = await seen(models, "qwen", "other", "default")
    assert fault is None
    assert repr(models[-1]) in said


async def test_a_model_that_is_listed_needs_no_other_name() -> None:
    said, fault = await seen(("qwen", "small"), "qwen")
    assert fault is None
    assert "accepted" not in said


async def test_an_accepted_name_does_not_hide_that_the_model_is_missing() -> None:
    said, fault = await seen(("small",), "qwen", "default")
    assert isinstance(fault, Misconfigured)
    assert "'small'" in said


@pytest.mark.parametrize(
    ("model", "key", "setting"),
    [
        ("claude-sonnet-4-5", "sk-ant", ""),
        ("claude-sonnet-4-5-20250929", "sk-ant", ""),
        ("claude-opus-4-5", "sk-ant", "TIRTHA_LOCAL_MODEL"),
        ("claude-sonnet-4-5", "wrong", "TIRTHA_LOCAL_KEY"),
    ],
)
async def test_a_server_of_anthropics_protocol_is_asked_as_it_wants(model: str, key: str, setting: str) -> None:
    with chat_server("claude-sonnet-4-5-20250929", key="sk-ant", anthropic=True) as server:
        own = TierSettings(
            url=server.url,
            model=model,
            key=SecretStr(key),
            protocol="anthropic",
            input_usd_per_mtok=0,
            output_usd_per_mtok=0,
        )
        [(_, said, fault)] = await probe(Settings(local=own))
    assert (fault.setting if isinstance(fault, Misconfigured) else "") == setting, said


async def test_accepted_names_reach_the_tier() -> None:
    async with open_tiers(asking("http://127.0.0.1:9/v1", "qwen", "default")) as tiers:
        assert tiers.local
        assert (tiers.local.model, tiers.local.accepted) == ("qwen", ("default",))
