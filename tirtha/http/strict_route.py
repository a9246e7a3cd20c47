"""The route that all of ours are: it asks for the caller's right and lets its tenant in, reads bodies and queries strictly.

So a typo never passes silently, and nothing is open by oversight, on whatever route; no route checks this itself.
"""

from collections import Counter
from collections.abc import Callable, Coroutine, Iterator
from inspect import isclass
from typing import Any
from urllib.parse import unquote_to_bytes

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel

from tirtha.http.bodies import BadBody, read_json
from tirtha.http.dependencies import caller_of, declared
from tirtha.observation.request import note_tenant

__all__ = ["LenientRoute", "StrictRoute"]


class _StrictRequest(Request):
    """A request whose body is read by the strict reader of JSON."""

    async def json(self) -> object:
        """Return the body as JSON. Raises BadBody."""
        return read_json(await self.body())


class StrictRoute(APIRoute):
    """A route whose requests are read strictly. A router is made of them by `APIRouter(route_class=StrictRoute)`."""

    checks_query = True

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler of a request, which asks for the caller's right and reads strictly.

        Raises TypeError for a route that declares no right.
        """
        handle = super().get_route_handler()
        known = frozenset(_query_names(self.dependant))
        needed = declared(self.dependant)
        if needed is None:
            raise TypeError(f"{self.path} must declare one right that it needs, as tirtha/http/dependencies.py says")

        async def strictly(request: Request) -> Response:
            if needed != "open":
                caller = caller_of(request, needed)
                note_tenant(caller.tenant)
                await request.app.state.service.admission.request(caller.tenant)
            if self.checks_query:
                _check_query(request, known)
            return await handle(_StrictRequest(request.scope, request.receive))

        return strictly


class LenientRoute(StrictRoute):
    """A route of an API that is not ours: its clients may put parameters into the query that are not known here."""

    checks_query = False


def _query_names(dependant: Dependant) -> Iterator[str]:
    """Yield the names of the query parameters that a route and what it depends on take, one by one or as a model."""
    for parameter in dependant.query_params:
        model = parameter.field_info.annotation
        if isclass(model) and issubclass(model, BaseModel):
            yield from (field.alias or name for name, field in model.model_fields.items())
        else:
            yield parameter.alias
    for part in dependant.dependencies:
        yield from _query_names(part)


def _check_query(request: Request, known: frozenset[str]) -> None:
    """Raise RequestValidationError for parameters that are unknown or given twice, BadBody for a query that is no text."""
    query: bytes = request.scope["query_string"]
    try:
        unquote_to_bytes(query.decode("ascii")).decode()
    except UnicodeDecodeError:
        raise BadBody(400, why="must be percent-encoded UTF-8", at="query") from None
    given = Counter(name for name, _ in request.query_params.multi_items())
    faults = [{"type": "extra_forbidden", "loc": ("query", name), "msg": ""} for name in given if name not in known]
    faults += [
        {"type": "repeated", "loc": ("query", name), "msg": "is given more than once"}
        for name, times in given.items()
        if times > 1 and name in known
    ]
    if faults:
        raise RequestValidationError(faults)
