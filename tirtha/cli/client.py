"""Requests of the command line over the HTTP contract, and how their answers are printed."""

import sys
from typing import Any
from urllib.parse import quote

import httpx
import typer

from tirtha.cli.connection import connect
from tirtha.cli.running import CommandFailed, out, print_lines, read_settings
from tirtha.terminal import exact_json

__all__ = ["Json", "checked", "flagged", "in_path", "post", "print_answer", "request", "send"]

Json = dict[str, Any]
# What the command line calls the fields of a request.
_FLAGS = {
    "user_id": "--user",
    "agent_id": "--agent",
    "session_id": "--session",
    "turn_id": "--turn",
    "question": "QUESTION",
    "budget": "--budget",
    "limit": "--limit",
    "format": "--format",
    "time_zone": "--time-zone",
    "cursor": "--cursor",
    "what": "--what",
    "since": "--since",
    "until": "--until",
    "asked_at": "--asked-at",
    "confirm": "--confirm",
    "turns[0].text": "TEXT",
    "turns[0].role": "--role",
    "turns[0].speaker": "--speaker",
    "turns[0].said_at": "--said-at",
    "name": "NAME",
    "tenant": "--tenant",
    "rights": "--rights",
    "expires_at": "--expires",
    "trusted_proxy": "--trusted-proxy",
}


async def request(method: str, path: str, query: Json) -> Json:
    """Send a request without a body. Raises CommandFailed with the answer's own words."""
    async with connect(read_settings()) as client:
        return checked(await client.send(_built(client, method, path, params=query)))


async def post(path: str, body: Json) -> Json:
    """Send a JSON body. Raises CommandFailed with the answer's own words."""
    return await send("POST", path, body=body)


async def send(method: str, path: str, *, body: Json) -> Json:
    """Send a JSON body by any method. Raises CommandFailed with the answer's own words."""
    async with connect(read_settings()) as client:
        return checked(await client.send(_built(client, method, path, json=body)))


def in_path(name: str) -> str:
    """Return an id as a piece of a path; bytes that are no UTF-8 stay as they were typed, and the service refuses them."""
    return quote(name, safe="", errors="surrogateescape")


def _built(client: httpx.AsyncClient, method: str, path: str, **content: Any) -> httpx.Request:
    try:
        return client.build_request(method, path, **content)
    except UnicodeEncodeError:
        raise CommandFailed("an argument is not UTF-8: type it again") from None


def checked(response: httpx.Response) -> Json:
    """Return the answer's body. Raises CommandFailed if it is a problem, in the words of the command line."""
    try:
        answer: Json = response.json()
        if response.is_error:
            raise CommandFailed(flagged(str(answer["detail"]), answer.get("errors") or []))
    except (ValueError, KeyError, TypeError):
        place = response.request.url.copy_with(path="", query=None)
        raise CommandFailed(
            f"{place} answered {response.status_code} and not as Tirtha does; is another program there?"
        ) from None
    return answer


def print_answer(answer: Json, as_json: bool, text: str) -> None:
    """Print an answer as JSON, or as `text`."""
    if as_json:
        typer.echo(exact_json(answer, ascii_only="utf" not in (sys.stdout.encoding or "").lower()))
    else:
        print_lines(out, text)


def flagged(detail: str, faults: list[Json]) -> str:
    """Return what a problem says, with flags in place of the fields they fill."""
    flags = [_FLAGS.get(str(fault["at"]), str(fault["at"])) for fault in faults[:3]]
    if detail == "; ".join(f"{fault['at']} {fault['why']}" for fault in faults[:3]):
        return "; ".join(f"{flag} {fault['why']}" for flag, fault in zip(flags, faults, strict=False))
    blamed = [flag for flag, fault in zip(flags, faults, strict=False) if fault["at"] in _FLAGS]
    return f"{', '.join(blamed)}: {detail}" if blamed else detail
