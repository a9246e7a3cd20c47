"""GET /v1/models: the models that a chat may name, in the form of OpenAI's API, or of Anthropic's for its clients."""

from typing import Any

from fastapi import APIRouter, Request

from tirtha.chat_api.description import OPENAI_ERRORS
from tirtha.errors import UnknownModel
from tirtha.http.dependencies import Known, Served
from tirtha.http.strict_route import LenientRoute
from tirtha.operations.chat.tiers import Model

__all__ = ["router"]

router = APIRouter(route_class=LenientRoute, responses=OPENAI_ERRORS)

_NO_DAY = "1970-01-01T00:00:00Z"  # what Anthropic's API says of a model whose release is not known


@router.get("/v1/models")
async def models(request: Request, service: Served, caller: Known) -> dict[str, Any]:  # noqa: ARG001 - any caller with a key
    """List the models: `tirtha` is the cascade, the others are its tiers, each alone."""
    data = [_shown(model, request) for model in service.models()]
    if not _is_anthropics(request):
        return {"object": "list", "data": data}
    ids = [model["id"] for model in data] or [None]
    return {"data": data, "first_id": ids[0], "last_id": ids[-1], "has_more": False}


@router.get("/v1/models/{model:id}")
async def model(model: str, request: Request, service: Served, caller: Known) -> dict[str, Any]:  # noqa: ARG001
    """Show one model."""
    known = service.models()
    found = next((one for one in known if one.id == model), None)
    if found is None:
        raise UnknownModel(model, [one.id for one in known])
    return _shown(found, request)


def _is_anthropics(request: Request) -> bool:
    return "anthropic-version" in request.headers


def _shown(model: Model, request: Request) -> dict[str, Any]:
    if _is_anthropics(request):
        return {
            "type": "model",
            "id": model.id,
            "display_name": model.id,
            "created_at": _NO_DAY,
            "max_input_tokens": model.window_tokens,
        }
    return {
        "id": model.id,
        "object": "model",
        "created": 0,
        "owned_by": model.owned_by,
        "context_window": model.window_tokens,
    }
