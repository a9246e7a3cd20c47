"""Settings: one frozen object, read once from `TIRTHA_*` variables, then a TOML file, then these defaults.

The file is `tirtha.toml` in the data folder, or what `TIRTHA_CONFIG` names. An unknown key in it is an error. Imports nothing
of the engine, so that a command which only talks to a running server starts at once.
"""

import json
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

__all__ = [
    "LOOPBACK",
    "LogFormat",
    "LogLevel",
    "PolicySettings",
    "Settings",
    "TenantSettings",
    "TierSettings",
    "settings_file",
]

LOOPBACK = frozenset({"127.0.0.1", "localhost"})
LogLevel = Literal["debug", "info", "warning", "error"]
LogFormat = Literal["text", "json"]


class _Places(BaseSettings):
    """What must be known before the file can be found."""

    model_config = SettingsConfigDict(env_prefix="TIRTHA_", frozen=True, extra="ignore")

    home: Path = Path("~/.tirtha")
    config: Path | None = None


def settings_file(home: Path | None = None) -> Path:
    """Return the TOML file to read: what `TIRTHA_CONFIG` names, else `tirtha.toml` in `home` (default: in `TIRTHA_HOME`)."""
    places = _Places()
    return (places.config or (home or places.home) / "tirtha.toml").expanduser()


def _listed(names: object) -> object:
    """Split names (or numbers) that come as one text, as they do in the environment."""
    if isinstance(names, str) and names.lstrip().startswith("["):
        return json.loads(names)
    return tuple(name.strip() for name in names.split(",") if name.strip()) if isinstance(names, str) else names


def _with_secrets_of_files(given: object, *secrets: str) -> object:
    """Fill in each secret that is given as the file `<secret>_file`. Raises ValidationError for a file that cannot be used."""
    if not isinstance(given, Mapping):
        return given
    filled, wrong = dict(given), list[InitErrorDetails]()
    for name in secrets:
        place = given.get(f"{name}_file")
        if not place:
            continue
        try:
            filled[name] = _secret_in(Path(str(place)).expanduser(), beside=name if given.get(name) else None)
        except ValueError as fault:
            why = PydanticCustomError("secret_file", "{why}", {"why": str(fault)})
            wrong.append(InitErrorDetails(type=why, loc=(f"{name}_file",), input=str(place)))
    if wrong:
        raise ValidationError.from_exception_data("secrets of files", wrong)
    return filled


def _secret_in(file: Path, *, beside: str | None) -> str:
    """Return the secret in a file, without the line break at its end. Raises ValueError, which shows nothing of what it holds."""
    if beside:
        raise ValueError(f"is given beside `{beside}`: give one of them")
    try:
        secret = file.read_text("utf-8").rstrip("\r\n")
    except OSError as fault:
        raise ValueError(f"{file} cannot be read: {fault.strerror}") from fault
    except UnicodeDecodeError:
        raise ValueError(f"{file} is not UTF-8") from None
    if not secret:
        raise ValueError(f"{file} is empty")
    return secret


class TierSettings(BaseModel):
    """A model tier. In the environment each field is `TIRTHA_LOCAL_<NAME>` or `TIRTHA_FRONTIER_<NAME>`; in the file, a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    gguf: Annotated[Path | None, Field(description="a GGUF file that Tirtha serves itself, in place of a `url`")] = None
    gguf_threads: Annotated[
        int | None, Field(ge=1, description="threads of its server; none: as many as the machine has cores")
    ] = None
    gguf_context_tokens: Annotated[
        int, Field(ge=256, description="its context window, in place of `window_tokens`; at most what the model has")
    ] = 8_192
    url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://",
            description="base URL(s) of OpenAI-compatible servers, separated by commas",
            validate_default=True,
        ),
    ] = None
    model: Annotated[
        str | None,
        Field(description="the model's name; default: of a GGUF file the file's name, of `local` openai/gpt-oss-120b"),
    ] = None
    protocol: Annotated[
        Literal["chat", "responses", "anthropic"],
        Field(
            description="what its server speaks: chat (`/chat/completions`), responses (`/responses`) or anthropic "
            "(`/messages`)"
        ),
    ] = "chat"
    accepted_models: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="other names that the server may answer with for this model, separated by commas"),
    ] = ()
    key: Annotated[SecretStr | None, Field(description="API key")] = None
    key_file: Annotated[Path | None, Field(description="a file that holds `key` instead")] = None
    input_usd_per_mtok: Annotated[
        float | None, Field(ge=0, description="price of a million prompt tokens, US dollars")
    ] = None
    output_usd_per_mtok: Annotated[float | None, Field(ge=0, description="price of a million answer tokens")] = None
    cached_usd_per_mtok: Annotated[float | None, Field(ge=0, description="price of a million cached prompt tokens")] = (
        None
    )
    window_tokens: Annotated[int, Field(ge=256, description="context window of the model, answer included")] = 131_072
    max_tokens: Annotated[int, Field(ge=1, description="tokens of an answer at most, reasoning included")] = 2_048
    timeout_s: Annotated[float, Field(gt=0, description="seconds that one call may take")] = 30.0
    tries: Annotated[int, Field(ge=1, le=10, description="calls of one question at most, failed ones included")] = 3
    concurrency: Annotated[int, Field(ge=1, description="calls at a time to one server")] = 16
    structured: Annotated[
        bool, Field(description="whether to ask for the answer's JSON schema (`response_format`)")
    ] = True
    logprobs: Annotated[bool | None, Field(description="whether to ask for token probabilities; none: of GGUF")] = None
    temperature: Annotated[bool, Field(description="whether the model takes a temperature")] = True
    limit_field: Annotated[
        Literal["max_tokens", "max_completion_tokens"],
        Field(description="what the server calls the limit of an answer"),
    ] = "max_tokens"
    reasoning_effort: Annotated[Literal["low", "medium", "high"] | None, Field(description="low, medium or high")] = (
        None
    )

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, given: object) -> object:
        return _with_secrets_of_files(given, "key")

    @field_validator("url")
    @classmethod
    def _is_one_of_two(cls, url: str | None, read: ValidationInfo) -> str | None:
        """Check that the tier has a server: one at an address, or a file for one of our own."""
        if "gguf" in read.data and (url is None) == (read.data["gguf"] is None):
            raise ValueError(
                "is required, unless gguf names a file" if url is None else "and gguf are two servers: give one"
            )
        return url

    @property
    def addresses(self) -> list[str]:
        """The base URLs, one a replica; none for a file."""
        return [url.strip() for url in (self.url or "").split(",") if url.strip()]


class PolicySettings(BaseModel):
    """What is tried, in what order, and what has to pass. `TIRTHA_POLICY_<NAME>` in the environment."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    ladder: Annotated[
        tuple[int, ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(description="budgets of wider contexts, tokens"),
    ] = (660, 2_640)
    widen_before: Annotated[int, Field(ge=0, description="how often the local tier gets a wider context")] = 1
    widen_after: Annotated[int, Field(ge=0, description="how often the frontier tier does, after its first answer")] = 0
    raw: Annotated[bool, Field(description="whether the frontier tier may at last read the raw history")] = False
    repair: Annotated[bool, Field(description="whether a rejected draft may be repaired once")] = True
    unverified: Annotated[
        Literal["abstain", "serve"],
        Field(description="/ask: abstain, or serve the best draft marked `verified: false`"),
    ] = "abstain"
    max_tier: Annotated[
        Literal["extractive", "local", "frontier"], Field(description="the most expensive tier that may be asked")
    ] = "frontier"
    chat_checks: Annotated[
        Literal["after", "before"],
        Field(description="chat: verify after an answer was streamed, or before it is"),
    ] = "after"
    quote_from: Annotated[
        float,
        Field(ge=0, le=1, description="probability of being right that a quoted answer needs, without a model"),
    ] = 0.42
    support_from: Annotated[float, Field(ge=0, le=1, description="support that each sentence of an answer needs")] = 0.6
    correct_from: Annotated[
        float | None, Field(ge=0, le=1, description="probability of being right that an answer needs; none: see below")
    ] = None
    second_opinion: Annotated[bool, Field(description="whether a second draft of the local tier must agree")] = False
    votes: Annotated[int, Field(ge=0, le=15, description="votes of the local tier on entailment; 0: none")] = 0
    votes_needed: Annotated[int, Field(ge=1, le=15, description="votes that must say yes")] = 2
    code_review: Annotated[
        Literal["always", "on_failure", "never"], Field(description="when the local tier reviews its program")
    ] = "always"
    code_drafts: Annotated[int, Field(ge=1, le=10, description="programs that the local tier may draft")] = 1
    deadline_s: Annotated[float, Field(gt=0, description="seconds that a question may take")] = 60.0
    code_deadline_s: Annotated[float, Field(gt=0, description="seconds that a code task may take")] = 120.0


_Most = Annotated[int | None, Field(ge=1)]


class TenantSettings(BaseModel):
    """What holds for a tenant for which nothing else was set. `TIRTHA_TENANT_<NAME>` in the environment; in the file, a table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stored_turns: Annotated[_Most, Field(description="turns that it may have stored; none: any number")] = None
    requests_per_minute: Annotated[_Most, Field(description="requests that it may send in a minute")] = 60_000
    turns_per_minute: Annotated[_Most, Field(description="turns that it may store in a minute")] = 600_000
    tokens_per_minute: Annotated[
        _Most, Field(description="tokens that models may read and write for it in a minute")
    ] = 20_000_000
    user_requests_per_minute: Annotated[
        _Most,
        Field(description="questions and remember requests of one of its users in a minute; none: the tenant's limit"),
    ] = None
    user_turns_per_minute: Annotated[
        _Most, Field(description="turns stored of one of its users in a minute; none: the tenant's limit")
    ] = None
    user_tokens_per_minute: Annotated[
        _Most, Field(description="tokens of models for one of its users in a minute; none: the tenant's limit")
    ] = None
    usd_per_day: Annotated[
        Decimal | None,
        Field(ge=0, description="US dollars that its questions may cost in a day (UTC); none: any amount"),
    ] = None
    turns_days: Annotated[_Most, Field(description="days that its turns are kept; none: until they are forgotten")] = (
        None
    )
    decisions_days: Annotated[_Most, Field(description="days that its decisions are kept; none: for good")] = None
    audit_days: Annotated[_Most, Field(description="days that its audit log is kept; none: for good")] = None


class Settings(BaseSettings):
    """Everything that can be configured. Each field is `TIRTHA_<NAME>` in the environment and `<name>` in the file."""

    model_config = SettingsConfigDict(
        env_prefix="TIRTHA_",
        env_nested_delimiter="_",
        env_nested_max_split=1,
        env_ignore_empty=True,
        frozen=True,
        extra="forbid",
        validate_default=True,
        nested_model_default_partial_update=True,
    )

    home: Annotated[Path, Field(description="the data folder")] = Path("~/.tirtha")
    config: Annotated[
        Path | None, Field(description="the TOML file to read; default tirtha.toml in the data folder")
    ] = None
    host: Annotated[str, Field(description="address to listen on; without API keys only loopback is allowed")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65_535, description="port to listen on; 0 picks a free one")] = 8_765
    allowed_hosts: Annotated[
        tuple[Annotated[str, Field(min_length=1)], ...],
        NoDecode,
        BeforeValidator(_listed),
        Field(
            description="host names that the server accepts besides loopback's, separated by commas, once API keys exist; "
            "none, or *: any name"
        ),
    ] = ()
    hsts_max_age_s: Annotated[
        int, Field(ge=0, description="seconds for which browsers are asked to use TLS only; 0: they are not asked")
    ] = 0
    key: Annotated[SecretStr | None, Field(description="API key that the command line shows to the server")] = None
    key_file: Annotated[Path | None, Field(description="a file that holds `key` instead")] = None
    pepper_file: Annotated[
        Path | None, Field(description="the secret that API keys are hashed with; default pepper in the data folder")
    ] = None
    log_level: Annotated[LogLevel, Field(description="debug, info, warning or error")] = "info"
    log_format: Annotated[LogFormat, Field(description="text, or json: an object a line")] = "text"
    otlp_url: Annotated[
        str | None,
        Field(pattern=r"^https?://", description="OTLP/HTTP address to send traces to; needs the extra `otel`"),
    ] = None
    database_url: Annotated[
        SecretStr | None, Field(description="SQLAlchemy URL; default SQLite in the data folder")
    ] = None
    database_url_file: Annotated[Path | None, Field(description="a file that holds `database_url` instead")] = None
    embedding_model: Annotated[
        str | None, Field(description="a sentence-transformers model; default the bundled all-MiniLM-L6-v2")
    ] = None
    recall_models: Annotated[Path | None, Field(description="a folder of weights for it (`tirtha eval fit`)")] = None
    budget: Annotated[
        int, Field(ge=1, le=131_072, description="tokens of a context where a request names no budget")
    ] = 165
    abstain_below: Annotated[
        float, Field(ge=0, le=1, description="probability of holding the answer below which /ask abstains")
    ] = 0.28
    local: Annotated[TierSettings | None, Field(description="the cheap tier; see below")] = None
    frontier: Annotated[TierSettings | None, Field(description="the expensive tier; see below")] = None
    policy: Annotated[PolicySettings, Field(description="see below")] = PolicySettings()
    tenant: Annotated[TenantSettings, Field(description="what holds for a tenant by default; see below")] = (
        TenantSettings()
    )
    certificate: Annotated[
        Path | None, Field(description="a certificate of `tirtha certify`, which limits the local tier's answers")
    ] = None
    shadow_share: Annotated[
        float,
        Field(ge=0, le=1, description="share of the local tier's accepted answers for which the frontier is asked too"),
    ] = 0.0
    record_to: Annotated[
        Path | None,
        Field(description="a folder to record every model call in, for replays; forgetting does not reach it"),
    ] = None
    cache_ttl_s: Annotated[
        float, Field(ge=0, description="seconds that an answer may be served again; 0: no cache")
    ] = 86_400.0
    cache_mb: Annotated[int, Field(ge=0, description="MB of answers kept for exact repeats")] = 256
    max_tail_turns: Annotated[
        int,
        Field(ge=1, description="turns of a scope that may wait for the index; beyond it new ones are refused (503)"),
    ] = 10_000
    hot_vectors_mb: Annotated[
        int, Field(ge=0, description="MB of memory for the vectors and words of scopes asked about, see below")
    ] = 512
    index_timeout_s: Annotated[float, Field(gt=0, description="seconds that `wait: indexed` waits at most")] = 60.0
    max_waiting_questions: Annotated[
        int, Field(ge=1, description="questions of a tenant that may wait; beyond it new ones are refused (503)")
    ] = 256
    header_timeout_s: Annotated[float, Field(gt=0, description="seconds that the head of a request may take")] = 30.0
    body_pause_s: Annotated[float, Field(gt=0, description="seconds that a body may pause while it is sent")] = 30.0
    body_timeout_s: Annotated[float, Field(gt=0, description="seconds that the body of a JSON request may take")] = (
        300.0
    )
    max_turn_chars: Annotated[int, Field(ge=1, description="characters of one turn")] = 100_000
    max_question_chars: Annotated[int, Field(ge=1, description="characters of a question")] = 8_000
    max_turns: Annotated[int, Field(ge=1, description="turns of one JSON request")] = 10_000
    max_import_bytes: Annotated[
        int, Field(ge=1_024, description="bytes of a file of another product to import; unpacked, four times as many")
    ] = 1_024 * 1_024 * 1_024
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
        file = settings_file(init_settings().get("home"))
        if _Places().config and not file.is_file():
            raise FileNotFoundError(f"TIRTHA_CONFIG names {file}, which is not a file")
        if file.is_dir():
            raise IsADirectoryError(f"{file} is a folder, not a file")
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, toml_file=file)

    @model_validator(mode="before")
    @classmethod
    def _read_secrets(cls, given: object) -> object:
        return _with_secrets_of_files(given, "key", "database_url")

    @property
    def folder(self) -> Path:
        """The data folder, absolute."""
        return self.home.expanduser().absolute()
