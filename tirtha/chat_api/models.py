"""GET /v1/models: the models that a chat may name."""

from typing import Any

from fastapi import APIRouter

from tirtha.chat_api.description import OPENAI_ERRORS
from tirtha.errors import UnknownModel
from tirtha.http.dependencies import Known, Served
from tirtha.http.strict_route import LenientRoute
from tirtha.operations.chat.tiers import Model

__all__ = ["router"]

router = APIRouter(route_class=LenientRoute, responses=OPENAI_ERRORS)


@router.get("/v1/models")
async def models(service: Served, caller: Known) -> dict[str, Any]:  # noqa: ARG001 - whoever has a key
    """List the models: `tirtha` is the cascade, the others are its tiers, each alone."""
    return {"object": "list", "data": [_shown(model) for model in service.models()]}


@router.get("/v1/models/{model:id}")
async def model(model: str, service: Served, caller: Known) -> dict[str, Any]:  # noqa: ARG001
    """Show one model."""
    known = service.models()
    found = next((one for one in known if one.id == model), None)
    if found is None:
        raise UnknownModel(model, [one.id for one in known])
    return _shown(found)


def _shown(model: Model) -> dict[str, Any]:
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.owned_by,
        "context_window": model.window_tokens,
    }
