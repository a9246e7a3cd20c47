"""Spans as OpenTelemetry has them, and as a collector gets them over OTLP."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from cascade.errors import ChatFailed
from memory.encoding.encoder import Encoder
from tests.support.chat_server import answers, chat_server, status
from tests.support.server import serving
from tirtha.observation.otel import OtelTracer
from tirtha.observation.trace_context import TraceContext
from tirtha.observation.tracing import TRACE, outgoing_headers

CALLER = TraceContext(trace_id="4bf92f3577b34da6a3ce929d0e0e4736", span_id="00f067aa0ba902b7", flags=1, state="a=1")
MODEL = "openai/gpt-oss-120b"
SAID = "My cat is called Miso."


@pytest.fixture
def exported() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exported: InMemorySpanExporter) -> Iterator[OtelTracer]:
    made = OtelTracer(SimpleSpanProcessor(exported))
    yield made
    made.close()


def test_spans_nest_under_the_callers(tracer: OtelTracer, exported: InMemorySpanExporter) -> None:
    token = TRACE.set(CALLER)
    try:
        with tracer.span("GET", "server", {"http.request.method": "GET"}) as outer:
            with tracer.span("chat m", "client", {}):
                headers = outgoing_headers()
            outer.rename("GET /v1/users")
    finally:
        TRACE.reset(token)
    inner, whole = exported.get_finished_spans()
    assert (inner.name, whole.name) == ("chat m", "GET /v1/users")
    assert whole.parent is not None
    assert inner.parent is not None
    assert format(whole.parent.span_id, "016x") == CALLER.span_id
    assert inner.parent.span_id == whole.context.span_id
    assert headers["traceparent"] == f"00-{CALLER.trace_id}-{inner.context.span_id:016x}-01"
    assert headers["tracestate"] == "a=1"
    assert TRACE.get() is None


def test_a_caller_that_records_nothing_is_followed(tracer: OtelTracer, exported: InMemorySpanExporter) -> None:
    token = TRACE.set(TraceContext(trace_id=CALLER.trace_id, span_id=CALLER.span_id, flags=0))
    try:
        with tracer.span("GET", "server", {}):
            assert outgoing_headers()["traceparent"].startswith(f"00-{CALLER.trace_id}-")
    finally:
        TRACE.reset(token)
    assert exported.get_finished_spans() == ()


def test_what_fails_is_known_by_its_kind_alone(tracer: OtelTracer, exported: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Miso"), tracer.span("recall", "internal", {}):
        raise ValueError(SAID)
    with suppress(ChatFailed), tracer.span("chat m", "client", {}) as span:
        span.fail("server")
        raise ChatFailed("server", "it answered 500")
    broken, refused = exported.get_finished_spans()
    assert broken.attributes == {"error.type": "ValueError"}
    assert refused.attributes == {"error.type": "server"}
    assert not broken.status.is_ok
    assert broken.events == ()
    assert SAID not in broken.to_json()


@contextmanager
def collector() -> Iterator[tuple[str, list[Span]]]:
    """A collector of traces on loopback: what it was sent."""
    spans: list[Span] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
            spans.extend(one for by in sent.resource_spans for scope in by.scope_spans for one in scope.spans)
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Keep quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1/traces", spans
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def attributes(span: Span) -> dict[str, object]:
    def plain(value: object) -> object:
        kind = value.WhichOneof("value")  # type: ignore[attr-defined]
        found = getattr(value, kind)
        return [plain(one) for one in found.values] if kind == "array_value" else found

    return {one.key: plain(one.value) for one in span.attributes}


def test_a_collector_gets_requests_stages_and_calls_and_no_word(tmp_path: Path, encoder: Encoder) -> None:
    body = {"user_id": "u1", "session_id": "s1", "turns": [{"id": "t1", "role": "user", "text": SAID}]}
    asked = {"user_id": "u1", "question": "What is my cat called?"}
    with collector() as (address, spans), chat_server(MODEL) as local:
        local.script = lambda request: answers("Miso", 1, model=MODEL)
        with (
            serving(tmp_path / "home", encoder, TIRTHA_LOCAL_URL=local.url, TIRTHA_OTLP_URL=address) as url,
            httpx.Client(base_url=url, timeout=60) as client,
        ):
            client.post("/v1/remember", json=body)
            client.post("/v1/ask", json=asked, headers=CALLER.headers)
            local.script = lambda request: status(404)
            client.post("/v1/ask", json=asked | {"budget": 100})
    assert local.headers[0]["traceparent"].split("-")[1] == CALLER.trace_id
    by_name: dict[str, list[Span]] = {}
    for span in spans:
        by_name.setdefault(span.name, []).append(span)
    [remembered] = by_name["POST /v1/remember"]
    assert attributes(remembered)["http.response.status_code"] == 201
    request = next(one for one in by_name["POST /v1/ask"] if one.trace_id.hex() == CALLER.trace_id)
    call, failed = by_name[f"chat {MODEL}"]
    assert call.parent_span_id == request.span_id
    assert local.headers[0]["traceparent"].split("-")[2] == call.span_id.hex()
    shown = attributes(call)
    assert shown.pop("server.port") == int(local.url.split(":")[2].split("/")[0])
    assert shown == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": MODEL,
        "gen_ai.request.max_tokens": 2_048,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.response.model": MODEL,
        "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 10,
        "gen_ai.usage.cache_read.input_tokens": 0,
        "gen_ai.usage.reasoning.output_tokens": 0,
        "server.address": "127.0.0.1",
        "tirtha.tier": "local",
        "tirtha.purpose": "draft",
        "tirtha.cost_nanousd": shown["tirtha.cost_nanousd"],
    }
    assert attributes(failed)["error.type"] == "refused"
    assert len(by_name["recall"]) == len(by_name["distil"]) == 2
    for word in ("Miso", "cat", "u1", "t1"):
        assert not any(word in str(span) for span in spans), word
