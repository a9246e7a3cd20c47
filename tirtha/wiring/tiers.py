"""From settings to tiers: the models that are configured, their prices and addresses, and what is wrong with them, by setting.

What can be known without asking anybody is checked at once; `probe` asks the servers.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Literal

from cascade.errors import ChatFailed, Misconfigured
from cascade.ports import Chat
from cascade.pricing import Price, known_prices
from cascade.tiers.deployment import Deployment, Dialect, OpenAIChat
from cascade.tiers.gguf import GgufChat
from cascade.tiers.model import ModelTier
from cascade.tiers.names import same_model
from cascade.tiers.recording import RecordingChat
from cascade.tiers.watching import Unwatched, Watch
from compaction.tokens import count_tokens
from tirtha.observation.tracing import outgoing_headers
from tirtha.settings import Settings, TierSettings
from tirtha.wiring.gguf import check_gguf, served_gguf

__all__ = ["Name", "Tiers", "model_name", "model_tier", "open_tiers", "probe", "tier_price"]

Name = Literal["local", "frontier"]
_PROBE_S = 5.0
_USUAL_LOCAL = "openai/gpt-oss-120b"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tiers:
    """The model tiers that are configured."""

    local: ModelTier | None = None
    frontier: ModelTier | None = None

    @property
    def all(self) -> tuple[ModelTier, ...]:
        """Those that there are, the cheaper one first."""
        return tuple(tier for tier in (self.local, self.frontier) if tier)


@asynccontextmanager
async def open_tiers(settings: Settings, watch: Watch | None = None) -> AsyncIterator[Tiers]:
    """Make the configured tiers, whose calls `watch` hears of. Raises Misconfigured.

    At the end connections are closed, and servers of our own stopped.
    """
    made: dict[Name, ModelTier] = {}
    async with AsyncExitStack() as stack:
        for name, configured in _configured(settings):
            made[name] = await _open(stack, name, configured, settings.record_to, watch)
        yield Tiers(local=made.get("local"), frontier=made.get("frontier"))


async def _open(
    stack: AsyncExitStack, name: Name, configured: TierSettings, record_to: Path | None, watch: Watch | None
) -> ModelTier:
    """Make a tier that `stack` closes. Raises Misconfigured."""
    model, own = model_name(name, configured), configured
    chats: list[tuple[str, OpenAIChat | GgufChat]] = [
        (url, _chat(name, configured, url)) for url in configured.addresses
    ]
    tier_price(name, configured)  # what it lacks is reported before a model is loaded
    if configured.gguf:
        server, own = await stack.enter_async_context(served_gguf(name, model, configured))
        own_chat = GgufChat(server, dialect=_dialect(configured), settings=_prefix(name), headers=outgoing_headers)
        chats.append((str(configured.gguf), own_chat))
    for _, chat in chats:
        stack.push_async_callback(chat.close)
    deployments = [
        Deployment(_recorded(chat, model, record_to), name=place, concurrency=own.concurrency, relay=chat)
        for place, chat in chats
    ]
    return model_tier(name, own, deployments, watch)


def model_tier(
    name: Name, configured: TierSettings, deployments: Sequence[Deployment], watch: Watch | None = None
) -> ModelTier:
    """Make a tier over deployments.

    Args:
        name: the tier.
        configured: its settings.
        deployments: the replicas that serve the model; the least busy one is asked.
        watch: notes every call of the model.

    Raises:
        Misconfigured: no model is named, or its price is not known.
    """
    return ModelTier(
        name=name,
        model=model_name(name, configured),
        price=tier_price(name, configured),
        window_tokens=configured.window_tokens,
        max_tokens=configured.max_tokens,
        timeout_s=configured.timeout_s,
        tries=configured.tries,
        deployments=deployments,
        count=count_tokens,
        sleep=asyncio.sleep,
        accepted=configured.accepted_models,
        watch=watch or Unwatched(),
        protocol=configured.protocol,
    )


def model_name(name: Name, configured: TierSettings) -> str:
    """Return the name of the tier's model: of a file, the file's. Raises Misconfigured if none is given, and none is usual."""
    named = configured.gguf.name if configured.gguf else None
    model = configured.model or named or (_USUAL_LOCAL if name == "local" else None)
    if model is None:
        raise Misconfigured(setting=f"TIRTHA_{name.upper()}_MODEL", why="name the model, as its server calls it")
    return model


def tier_price(name: Name, configured: TierSettings) -> Price:
    """Return the tier's price: the configured one, or the table's. Raises Misconfigured if there is neither."""
    given = (configured.input_usd_per_mtok, configured.output_usd_per_mtok)
    if given[0] is not None and given[1] is not None:
        return Price(
            input_usd=Decimal(str(given[0])),
            output_usd=Decimal(str(given[1])),
            cached_usd=None if configured.cached_usd_per_mtok is None else Decimal(str(configured.cached_usd_per_mtok)),
            as_of=None,
            source="settings",
        )
    if configured.gguf and given == (None, None):
        return Price(input_usd=Decimal(0), output_usd=Decimal(0), cached_usd=None, as_of=None, source="on this machine")
    model = model_name(name, configured)
    known = known_prices().get(model)
    if known is None or given != (None, None):
        missing = "input_usd_per_mtok" if given[0] is None else "output_usd_per_mtok"
        why = f"no price of {model!r} is known; give it in US dollars per million tokens (0 if it costs nothing)"
        raise Misconfigured(setting=f"TIRTHA_{name.upper()}_{missing.upper()}", why=why)
    return known


async def probe(settings: Settings) -> list[tuple[Name, str, Exception | None]]:
    """Ask each configured server for its models: tier, what was seen, and Misconfigured or ChatFailed if that is not well.

    Of a file it is looked whether it can be served; no model is loaded for that.
    """
    seen: list[tuple[Name, str, Exception | None]] = []
    for name, configured in _configured(settings):
        if configured.gguf:
            try:
                seen.append((name, _look_at_file(name, configured, configured.gguf), None))
            except Misconfigured as fault:
                seen.append((name, str(fault), fault))
        for url in configured.addresses:
            chat = _chat(name, configured, url)
            try:
                seen.append((name, await _look(chat, name, configured, url), None))
            except (Misconfigured, ChatFailed) as fault:
                seen.append((name, f"{url}: {fault}", fault))
            finally:
                await chat.close()
    return seen


def _look_at_file(name: Name, configured: TierSettings, file: Path) -> str:
    runtime, price = check_gguf(name, file, configured.protocol), tier_price(name, configured)
    return f"{model_name(name, configured)} of {file}, served here by {runtime}, {price.rates} ({price.source})"


async def _look(chat: OpenAIChat, name: Name, configured: TierSettings, url: str) -> str:
    prefix, model = f"TIRTHA_{name.upper()}", model_name(name, configured)
    price = tier_price(name, configured)
    priced = f"{price.rates} ({price.source}{f', {price.as_of}' if price.as_of else ''})"
    try:
        models = await chat.models(timeout_s=_PROBE_S)
    except ChatFailed as fault:
        if fault.status in (401, 403):
            raise Misconfigured(setting=f"{prefix}_KEY", why=f"{url} refuses it ({fault.reason})") from fault
        if fault.kind == "connection":
            why = f"nothing answers at {url} ({fault.reason})"
            raise ChatFailed("connection", f"{prefix}_URL: {why}") from fault
        if fault.kind == "refused":
            return f"{model} at {url}, {priced}; the server does not list its models ({fault.reason})"
        raise
    if model in models or (configured.protocol == "anthropic" and any(same_model(model, one) for one in models)):
        return f"{model} at {url}, {priced}"
    known_as = _accepted(models, configured)
    if known_as is None:
        raise Misconfigured(setting=f"{prefix}_MODEL", why=f"{url} does not have {model!r}; {_offered(models, prefix)}")
    return f"{model} at {url} ({known_as!r} there, an accepted name), {priced}"


def _accepted(models: Sequence[str], configured: TierSettings) -> str | None:
    """Return the first of the server's models whose name is an accepted one."""
    return next((one for one in models if any(same_model(name, one) for name in configured.accepted_models)), None)


def _offered(models: Sequence[str], prefix: str) -> str:
    """Return what a server has instead, and how to go on with it if it is only one."""
    if len(models) != 1:
        return f"it has: {', '.join(models[:10]) or 'none'}"
    [only] = models
    return (
        f"it has only {only!r}. Name that; or, if it is the same model and answers to both names, "
        f"list it in accepted_models ({prefix}_ACCEPTED_MODELS={only})"
    )


def _configured(settings: Settings) -> Iterable[tuple[Name, TierSettings]]:
    if settings.local:
        yield "local", settings.local
    if settings.frontier:
        yield "frontier", settings.frontier


def _chat(name: Name, configured: TierSettings, url: str) -> OpenAIChat:
    return OpenAIChat(
        url=url,
        model=model_name(name, configured),
        key=configured.key,
        dialect=_dialect(configured),
        settings=_prefix(name),
        headers=outgoing_headers,
        protocol=configured.protocol,
    )


def _dialect(configured: TierSettings) -> Dialect:
    return Dialect(
        structured=configured.structured,
        logprobs=configured.gguf is not None if configured.logprobs is None else configured.logprobs,
        temperature=configured.temperature,
        reasoning_effort=configured.reasoning_effort,
        limit_field=configured.limit_field,
    )


def _prefix(name: Name) -> str:
    return f"TIRTHA_{name.upper()}_"


def _recorded(chat: Chat, model: str, folder: Path | None) -> Chat:
    return RecordingChat(chat, model=model, folder=folder.expanduser()) if folder else chat
