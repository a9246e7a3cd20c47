"""A model's server that answers at once, for timings of what stands in front of one: `python -m eval.instant_tier`.

It prints its address, and serves until it is ended. A request's own fields say how it answers: `wait_ms` before the first word,
`words`, and `pause_ms` between them. No model is imitated: the words are numbers.
"""

import asyncio
import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from tirtha.http.server import listening

__all__ = ["MODEL", "instant_tier"]

MODEL = "instant"
_WORDS = 5


@contextmanager
def instant_tier() -> Iterator[str]:
    """Run the server in a process of its own; gives its address."""
    command = [sys.executable, "-m", "eval.instant_tier"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        assert process.stdout  # noqa: S101 - it is a pipe
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


async def _answer(request: Request) -> Response:
    asked = await request.json()
    await asyncio.sleep(asked.get("wait_ms", 0) / 1_000)
    words = [f"{number} " for number in range(asked.get("words", _WORDS))]
    if asked.get("stream"):
        return StreamingResponse(_events(words, asked), media_type="text/event-stream")
    choice = {"index": 0, "message": {"role": "assistant", "content": "".join(words)}, "finish_reason": "stop"}
    return JSONResponse({**_head("chat.completion"), "choices": [choice], "usage": _usage(words)})


async def _events(words: list[str], asked: dict[str, Any]) -> AsyncIterator[str]:
    head = _head("chat.completion.chunk")
    for word in words:
        yield _event({**head, "choices": [{"index": 0, "delta": {"content": word}, "finish_reason": None}]})
        if asked.get("pause_ms"):
            await asyncio.sleep(asked["pause_ms"] / 1_000)
    yield _event({**head, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
    if (asked.get("stream_options") or {}).get("include_usage"):
        yield _event({**head, "choices": [], "usage": _usage(words)})
    yield "data: [DONE]\n\n"


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": MODEL}


def _usage(words: list[str]) -> dict[str, int]:
    return {"prompt_tokens": 10, "completion_tokens": len(words), "total_tokens": 10 + len(words)}


def _event(data: dict[str, Any]) -> str:
    return f"data: {json.dumps(data)}\n\n"


def _main() -> None:
    app = Starlette(routes=[Route("/v1/chat/completions", _answer, methods=["POST"])])
    with listening("127.0.0.1", 0) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}/v1", flush=True)  # noqa: T201 - for the program that started it
        asyncio.run(uvicorn.Server(uvicorn.Config(app, log_level="error")).serve([listener]))


if __name__ == "__main__":
    _main()
