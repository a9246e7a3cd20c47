"""A scripted model's server on loopback, with faults on demand. A test fixture: it is no model and imitates none.

It answers whatever path it is asked at; `anthropic` makes it as particular about keys and versions as Anthropic's API is.
"""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["ChatServer", "Reply", "Script", "answers", "chat_server", "cut", "error", "picky", "says", "status"]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to send back: a body of bytes, and how."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait_s: float = 0.0
    sent: int | None = None  # cut the connection after so many bytes of the body


Script = Callable[[dict[str, Any]], Reply]


def says(
    text: str | None,
    *,
    model: str = "scripted",
    finish: str = "stop",
    prompt: int = 100,
    completion: int = 10,
    wait_s: float = 0.0,
    logprobs: list[tuple[str, float]] | None = None,
    more: dict[str, Any] | None = None,
    usage: Any = "all",
) -> Reply:
    """A well-formed completion; `usage` in another form than all of it, or None for none."""
    of_tokens: dict[str, Any] = {
        "content": [{"token": t, "logprob": p, "bytes": None, "top_logprobs": []} for t, p in logprobs or ()]
    }
    body = {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "created": 1,
        "model": model,
        "choices": [
            {
                "index": 0,
                "finish_reason": finish,
                "message": {"role": "assistant", "content": text} | (more or {}),
                "logprobs": of_tokens if logprobs else None,
            }
        ],
    }
    whole = {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": prompt + completion}
    if usage is not None:
        body["usage"] = whole if usage == "all" else usage
    return Reply(body=json.dumps(body).encode(), wait_s=wait_s)


def answers(answer: str | None, *citations: int, **how: Any) -> Reply:
    """An answer in the form that Tirtha asks for."""
    return says(json.dumps({"answer": answer, "citations": list(citations)}), **how)


def status(code: int, **headers: str) -> Reply:
    """An error status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(body=b'{"error": {"message": "scripted"}}', status=code, headers=named)


def error(code: int, body: Any) -> Reply:
    """An error status with this body, as JSON unless it is text."""
    return Reply(body=body.encode() if isinstance(body, str) else json.dumps(body).encode(), status=code)


def picky(refused: dict[str, Reply], script: Script) -> Script:
    """A script that answers a request that holds a parameter of `refused` with that parameter's reply."""

    def run(request: dict[str, Any]) -> Reply:
        return next((reply for name, reply in refused.items() if name in request), None) or script(request)

    return run


def cut(reply: Reply) -> Reply:
    """The same reply, cut off in its middle."""
    return Reply(body=reply.body, sent=len(reply.body) // 2)


class ChatServer:
    """A running server: `script` decides what it answers; `requests`, `headers` and `paths` hold what it was sent."""

    def __init__(self, url: str, models: list[str], key: str | None, *, anthropic: bool) -> None:
        self.url = url
        self.models = models
        self.key = key
        self.anthropic = anthropic
        self.script: Script = _nothing
        self.requests: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []  # of each request, by names in small letters
        self.paths: list[str] = []  # with queries
        self.lock = threading.Lock()


def _nothing(request: dict[str, Any]) -> Reply:
    return says("nothing is scripted")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scripted: ChatServer

    def do_GET(self) -> None:
        if self._may_enter():
            data = [
                {"id": model, "object": "model", "created": 1, "owned_by": "tests"} for model in self.scripted.models
            ]
            self._send(Reply(body=json.dumps({"object": "list", "data": data}).encode()))

    def do_POST(self) -> None:
        request = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self._may_enter():
            with self.scripted.lock:
                self.scripted.requests.append(request)
                self.scripted.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.scripted.paths.append(self.path)
            self._send(self.scripted.script(request))

    def _may_enter(self) -> bool:
        key, bearer = self.scripted.key, self.headers.get("authorization")
        if self.scripted.anthropic:
            good = not bearer and "anthropic-version" in self.headers and self.headers.get("x-api-key") == key
        else:
            good = key is None or bearer == f"Bearer {key}"
        if not good:
            self._send(status(401))
        return good

    def _send(self, reply: Reply) -> None:
        time.sleep(reply.wait_s)
        try:
            self.send_response(reply.status)
            for name, value in ({"content-type": "application/json"} | reply.headers).items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body[: reply.sent])
            if reply.sent is not None:
                self.wfile.flush()
                self.close_connection = True
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True  # the client has given up, as some tests want it to

    def log_message(self, format: str, *args: Any) -> None:
        """Keep quiet."""


class _HttpServer(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


@contextmanager
def chat_server(*models: str, key: str | None = None, anthropic: bool = False) -> Iterator[ChatServer]:
    """Start a server that has these models, on a free port."""
    handler = type("Handler", (_Handler,), {})
    httpd = _HttpServer(("127.0.0.1", 0), handler)
    server = ChatServer(
        f"http://127.0.0.1:{httpd.server_port}/v1", list(models) or ["scripted"], key, anthropic=anthropic
    )
    handler.scripted = server  # type: ignore[attr-defined]
    thread = threading.Thread(target=httpd.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield server
    finally:
        httpd.shutdown()
        thread.join()
        httpd.server_close()
