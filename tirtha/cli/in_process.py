"""Requests to an application in this process, their answers streamed: httpx's own transport would gather a whole one in memory."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import httpx
from starlette.types import ASGIApp, Message

__all__ = ["InProcess"]


class InProcess(httpx.AsyncBaseTransport):
    """A transport to an ASGI application. What the application raises is raised here, by the request or by reading its answer."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send a request; returns as soon as its answer begins."""
        answer = _Answer(request)
        answer.run(self._app)
        try:
            start = await answer.next_message()
        except BaseException:
            await answer.aclose()
            raise
        return httpx.Response(start["status"], headers=start["headers"], stream=answer)


class _Answer(httpx.AsyncByteStream):
    """The answer to one request, while the application makes it. An application that is ahead of its reader waits."""

    def __init__(self, request: httpx.Request) -> None:
        assert isinstance(request.stream, httpx.AsyncByteStream)  # noqa: S101 - an asynchronous client sends these
        self._request = request
        self._chunks = aiter(request.stream)
        self._all_read = False
        self._messages: asyncio.Queue[Message] = asyncio.Queue(maxsize=1)
        self._complete = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def run(self, app: ASGIApp) -> None:
        """Begin the application's work."""
        self._running = asyncio.ensure_future(app(_scope(self._request), self._receive, self._send))

    async def next_message(self) -> Message:
        """Return what the application sends next. Raises what it raises."""
        assert self._running  # noqa: S101 - `run` came first
        coming = asyncio.ensure_future(self._messages.get())
        try:
            await asyncio.wait({coming, self._running}, return_when=asyncio.FIRST_COMPLETED)
            if coming.done():
                return coming.result()
        finally:
            coming.cancel()
        self._running.result()
        raise httpx.RemoteProtocolError("the application ended before its answer did")

    async def __aiter__(self) -> AsyncIterator[bytes]:
        """Yield the body."""
        more = True
        while more:
            message = await self.next_message()
            yield message.get("body", b"")
            more = message.get("more_body", False)
        self._complete.set()

    async def aclose(self) -> None:
        """End the work for an answer that is not wanted any more; of one that is complete, wait for its end."""
        if self._running is None:
            return
        if not self._complete.is_set():
            self._running.cancel()
        with suppress(asyncio.CancelledError):
            await self._running

    async def _receive(self) -> Message:
        """Hand over the next part of the request's body; after the last, that the client is gone, as soon as it is."""
        if self._all_read:
            await self._complete.wait()
            return {"type": "http.disconnect"}
        chunk = await anext(self._chunks, None)
        self._all_read = chunk is None
        return {"type": "http.request", "body": chunk or b"", "more_body": chunk is not None}

    async def _send(self, message: Message) -> None:
        await self._messages.put(message)


def _scope(request: httpx.Request) -> dict[str, object]:
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "headers": [(name.lower(), value) for name, value in request.headers.raw],
        "scheme": request.url.scheme,
        "path": request.url.path,
        "raw_path": request.url.raw_path.partition(b"?")[0],
        "query_string": request.url.query,
        "server": (request.url.host, request.url.port),
        "client": ("127.0.0.1", 0),
        "root_path": "",
    }
