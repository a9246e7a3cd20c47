"""The description of the API as an OpenAPI document: what the framework reads off the routes, and what no route declares.

Middleware and error handlers answer for every route. So what they send stands here, once: problem documents, and the headers
that answers carry. https://spec.openapis.org/oas/v3.1.0
"""

from collections.abc import Iterator
from typing import Any

from pydantic.json_schema import models_json_schema

from tirtha.http.errors import TITLES, Problem

__all__ = ["described"]

_UNEXPECTED = 500  # the one status that no caller should plan for
_FRAMEWORKS_OWN = ("HTTPValidationError", "ValidationError")
_SCHEMAS = "#/components/schemas/{model}"
_SECONDS = {"schema": {"type": "integer", "minimum": 0}, "required": True}
_TEXT = {"schema": {"type": "string"}, "required": True}
_EVERY_ANSWER = {"X-Request-Id": {"description": "the request's own, or a new one"} | _TEXT}
_HEADERS: dict[int, dict[str, Any]] = {
    401: {"WWW-Authenticate": {"description": "the scheme of keys: Bearer"} | _TEXT},
    405: {"Allow": {"description": "the methods that the path takes"} | _TEXT},
    429: {"Retry-After": {"description": "seconds until there is room"} | _SECONDS},
    503: {"Retry-After": {"description": "seconds until it is worth another try"} | _SECONDS},
    507: {"Retry-After": {"description": "seconds until it is worth another try"} | _SECONDS},
}


def described(document: dict[str, Any]) -> dict[str, Any]:
    """Complete a document of the framework, in place, and return it.

    Every operation may answer with every problem: a key may be wrong, a limit reached, or a disk full, whatever is asked for.
    What a route declares of its errors itself stays as it is.
    """
    components = document["components"]
    schemas = components["schemas"]
    for name in _FRAMEWORKS_OWN:
        schemas.pop(name, None)
    schemas.update(models_json_schema([(Problem, "serialization")], ref_template=_SCHEMAS)[1]["$defs"])
    components["responses"] = {f"Problem{status}": _problem(status) for status in TITLES if status != _UNEXPECTED}
    references = {
        str(status): {"$ref": f"#/components/responses/Problem{status}"} for status in TITLES if status != _UNEXPECTED
    }
    for operation in _operations(document):
        ours = {status: one for status, one in operation["responses"].items() if not _is_the_frameworks(one)}
        for response in ours.values():
            response.setdefault("headers", {}).update(_EVERY_ANSWER)
        operation["responses"] = references | ours
    return document


def _is_the_frameworks(response: dict[str, Any]) -> bool:
    """Return whether a response is the one that the framework gives to faults of validation, which ours replace."""
    schemas = [kind.get("schema", {}) for kind in response.get("content", {}).values()]
    return any(schema.get("$ref", "").endswith(_FRAMEWORKS_OWN) for schema in schemas)


def _problem(status: int) -> dict[str, Any]:
    return {
        "description": TITLES[status],
        "headers": _EVERY_ANSWER | _HEADERS.get(status, {}),
        "content": {"application/problem+json": {"schema": {"$ref": _SCHEMAS.format(model="Problem")}}},
    }


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for path in document["paths"].values():
        yield from path.values()
