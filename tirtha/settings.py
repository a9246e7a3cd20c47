"""Settings: one frozen object, read once from `TIRTHA_*` variables, then a TOML file, then these defaults.

The file is `tirtha.toml` in the data folder, or what `TIRTHA_CONFIG` names. An unknown key in it is an error. Imports nothing
of the engine, so that a command which only talks to a running server starts at once.
"""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

__all__ = ["LOOPBACK", "Settings"]

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
LogLevel = Literal["debug", "info", "warning", "error"]


class _Places(BaseSettings):
    """What must be known before the file can be found."""

    model_config = SettingsConfigDict(env_prefix="TIRTHA_", frozen=True, extra="ignore")

    home: Path = Path("~/.tirtha")
    config: Path | None = None


class Settings(BaseSettings):
    """Everything that can be configured. Each field is `TIRTHA_<NAME>` in the environment and `<name>` in the file."""

    model_config = SettingsConfigDict(env_prefix="TIRTHA_", frozen=True, extra="forbid", validate_default=True)

    home: Annotated[Path, Field(description="the data folder")] = Path("~/.tirtha")
    config: Annotated[
        Path | None, Field(description="the TOML file to read; default tirtha.toml in the data folder")
    ] = None
    host: Annotated[str, Field(description="address to listen on; without API keys only loopback is allowed")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65_535, description="port to listen on; 0 picks a free one")] = 8_765
    log_level: Annotated[LogLevel, Field(description="debug, info, warning or error")] = "info"
    database_url: Annotated[
        SecretStr | None, Field(description="SQLAlchemy URL; default SQLite in the data folder")
    ] = None
    embedding_model: Annotated[
        str | None, Field(description="a sentence-transformers model; default the bundled all-MiniLM-L6-v2")
    ] = None
    budget: Annotated[
        int, Field(ge=1, le=131_072, description="tokens of a context where a request names no budget")
    ] = 165
    abstain_below: Annotated[
        float, Field(ge=0, le=1, description="probability of holding the answer below which /ask abstains")
    ] = 0.22
    max_tail_turns: Annotated[int, Field(ge=1, description="turns of a scope that may wait for the index")] = 4_096
    hot_vectors_mb: Annotated[int, Field(ge=0, description="MB of memory for the vectors of scopes asked about")] = 512
    index_timeout_s: Annotated[float, Field(gt=0, description="seconds that `wait: indexed` waits at most")] = 60.0
    max_turn_chars: Annotated[int, Field(ge=1, description="characters of one turn")] = 100_000
    max_question_chars: Annotated[int, Field(ge=1, description="characters of a question")] = 8_000
    max_turns: Annotated[int, Field(ge=1, description="turns of one JSON request")] = 10_000
    max_body_bytes: Annotated[int, Field(ge=1_024, description="bytes of one JSON request")] = 64 * 1_024 * 1_024

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read arguments first, then the environment, then the TOML file."""
        places = _Places()
        file = places.config or places.home.expanduser() / "tirtha.toml"
        if places.config and not file.expanduser().is_file():
            raise FileNotFoundError(f"TIRTHA_CONFIG names {file}, which is not a file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file.expanduser())

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.home.expanduser().absolute()
