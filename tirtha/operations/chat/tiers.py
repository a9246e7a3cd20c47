"""Which tiers may answer a chat: the cascade's, cheapest first, or the one whose model is named."""

from collections.abc import Sequence
from dataclasses import dataclass

from cascade import MaxTier
from cascade.model import WireProtocol
from cascade.tiers.model import ModelTier
from cascade.tiers.names import same_model
from tirtha.errors import NoTier, ProtocolMissing, UnknownModel
from tirtha.operations.chat.asked import CASCADE

__all__ = ["ChatTiers", "ListModels", "Model", "speaking"]


def speaking(tiers: Sequence[ModelTier], protocols: Sequence[WireProtocol]) -> list[ModelTier]:
    """Return the tiers that speak one of these protocols. Raises ProtocolMissing if none does."""
    found = [tier for tier in tiers if tier.protocol in protocols]
    if not found:
        raise ProtocolMissing(protocol=tiers[0].protocol, wanted=protocols)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """A model that a chat may name: whose it is, and the tokens of its window."""

    id: str
    owned_by: str
    window_tokens: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ChatTiers:
    """The model tiers that are configured."""

    local: ModelTier | None
    frontier: ModelTier | None

    def named(self, model: str, max_tier: MaxTier) -> list[ModelTier]:
        """Return the tiers that may answer as `model`, the cheapest first.

        Raises UnknownModel, and NoTier where none is configured or allowed.
        """
        configured = [tier for tier in (self.local, self.frontier) if tier]
        if not configured:
            raise NoTier
        allowed = [
            tier for tier in configured if max_tier == "frontier" or (max_tier == "local" and tier is self.local)
        ]
        if model == CASCADE:
            chosen = allowed
        else:
            meant = [tier for tier in configured if same_model(tier.model, model) or model in tier.accepted]
            if not meant:
                raise UnknownModel(model, [CASCADE, *(tier.model for tier in configured)])
            chosen = [tier for tier in meant if tier in allowed][:1]
        if not chosen:
            raise NoTier(max_tier)
        return chosen

    @property
    def models(self) -> list[Model]:
        """The models that a chat may name; none without a tier."""
        tiers = [tier for tier in (self.local, self.frontier) if tier]
        if not tiers:
            return []
        own = Model(id=CASCADE, owned_by="tirtha", window_tokens=max(tier.window_tokens for tier in tiers))
        return [own, *(Model(id=tier.model, owned_by=tier.name, window_tokens=tier.window_tokens) for tier in tiers)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListModels:
    """List the models that a chat may name."""

    tiers: ChatTiers

    def __call__(self) -> Sequence[Model]:
        """Return the cascade first, then the tiers' models."""
        return self.tiers.models
