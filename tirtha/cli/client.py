"""Requests of the command line over the HTTP contract, and how their answers are printed."""

import json
from typing import Any

import httpx

from tirtha.cli.connection import connect
from tirtha.cli.running import CommandFailed, out, read_settings

__all__ = ["Json", "checked", "post", "print_answer", "request"]

Json = dict[str, Any]


async def request(method: str, path: str, query: Json) -> Json:
    """Send a request without a body. Raises CommandFailed with the answer's own words."""
    async with connect(read_settings()) as client:
        return checked(await client.request(method, path, params=query))


async def post(path: str, body: Json) -> Json:
    """Send a JSON body. Raises CommandFailed with the answer's own words."""
    async with connect(read_settings()) as client:
        return checked(await client.post(path, json=body))


def checked(response: httpx.Response) -> Json:
    """Return the answer's body. Raises CommandFailed if it is a problem."""
    answer: Json = response.json()
    if response.is_error:
        raise CommandFailed(answer["detail"])
    return answer


def print_answer(answer: Json, as_json: bool, text: str) -> None:
    """Print an answer as JSON, or as `text`."""
    shown = json.dumps(answer, indent=2, ensure_ascii=False) if as_json else text
    out.print(shown, markup=False, highlight=False, soft_wrap=True)  # a line break of ours inside JSON would break it
