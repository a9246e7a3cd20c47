"""Machine text of thirty kinds and of any length, always the same: what apps and people paste into a chat."""

import base64
import json
import textwrap
import uuid
from collections.abc import Callable, Iterator
from random import Random

__all__ = ["MACHINE_TEXTS"]

_SEED = 11


def _lines(line: Callable[[Random, int], str]) -> Callable[[int], str]:
    """Return what makes a text of such lines, of about the length asked for."""

    def make(chars: int) -> str:
        source = Random(_SEED)  # noqa: S311 - no secret

        def enough() -> Iterator[str]:
            length, number = 0, 0
            while length < chars:
                made = line(source, number)
                length, number = length + len(made) + 1, number + 1
                yield made

        return "\n".join(enough())

    return make


def _bytes(write: Callable[[bytes], str], share: float) -> Callable[[int], str]:
    return lambda chars: write(Random(_SEED).randbytes(int(chars * share)))  # noqa: S311 - no secret


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _numbers(separator: str, form: str) -> Callable[[int], str]:
    return lambda chars: separator.join(format((n * 7_919 % 10_007) / 100, form) for n in range(chars // 8))


MACHINE_TEXTS: dict[str, Callable[[int], str]] = {
    "data uri": _bytes(lambda data: f"data:image/png;base64,{_base64(data)}", 0.75),
    "base64": _bytes(_base64, 0.75),
    "base64 for addresses": _bytes(lambda data: base64.urlsafe_b64encode(data).decode(), 0.75),
    "base64 in lines": _bytes(lambda data: "\n".join(textwrap.wrap(_base64(data), 76)), 0.74),
    "certificate": _bytes(
        lambda data: f"-----BEGIN KEY-----\n{chr(10).join(textwrap.wrap(_base64(data), 64))}\n-----END KEY-----", 0.73
    ),
    "base32": _bytes(lambda data: base64.b32encode(data).decode(), 0.62),
    "base85": _bytes(lambda data: base64.b85encode(data).decode(), 0.8),
    "hex": _bytes(bytes.hex, 0.5),
    "hex in pairs": _bytes(lambda data: data.hex(" "), 0.33),
    "hex dump": _lines(lambda source, n: f"{n * 16:08x}: {source.randbytes(16).hex(' ', 2)}  ....a.b....c"),
    "c array": _bytes(lambda data: ", ".join(f"0x{byte:02x}" for byte in data), 0.16),
    "token": _bytes(lambda data: f"eyJhbGciOiJIUzI1NiJ9.{base64.urlsafe_b64encode(data).decode()}.c2lnbmF0dXJl", 0.75),
    "json numbers": _numbers(", ", ".3f"),
    "numbers": _numbers(" ", ".2f"),
    "number lines": _numbers(",\n", ".4f"),
    "json": lambda chars: json.dumps([{"id": n, "name": f"item {n}", "price": n * 3.5} for n in range(chars // 44)]),
    "json in lines": lambda chars: json.dumps([{"id": n, "name": f"item {n}"} for n in range(chars // 48)], indent=2),
    "minified json": lambda chars: json.dumps(
        [{"id": n, "n": f"i{n}"} for n in range(chars // 20)], separators=(",", ":")
    ),
    "ndjson": _lines(lambda source, n: json.dumps({"event": "click", "id": n, "x": source.randrange(900)})),
    "csv": _lines(lambda source, n: f"{n},item {n},{source.random():.2f},{source.choice(['red', 'blue'])}"),
    "tsv": _lines(lambda source, n: f"{n}\titem {n}\t{source.random():.2f}"),
    "markdown table": _lines(lambda source, n: f"| {n} | item {n} | {source.random():.2f} |"),
    "log": _lines(
        lambda source, n: f"2025-03-04 12:{n % 60:02}:01 INFO worker-{n % 7} job {n} took {source.random():.2f} s"
    ),
    "access log": _lines(
        lambda source, n: f'10.0.0.{n % 255} - - "GET /items/{source.randrange(9999)} HTTP/1.1" 200 {n}'
    ),
    "stack trace": _lines(
        lambda source, n: f"    at com.example.shop.Basket{n % 9}.add(Basket.java:{source.randrange(900)})"
    ),
    "python trace": _lines(
        lambda source, n: (
            f'  File "/srv/app/module{n % 9}.py", line {source.randrange(900)}, in run\n    self.step({n})'
        )
    ),
    "minified script": lambda chars: "function(e,t){return e.x?t(e.y):void 0};" * (chars // 40),
    "minified styles": lambda chars: ".a{margin:0;padding:0}.b>.c{color:#fff;background:#000}" * (chars // 55),
    "long address": lambda chars: "https://shop.example/herons?" + "&".join(f"p{n}={n:09}" for n in range(chars // 13)),
    "addresses": _lines(lambda source, n: f"https://shop.example/items/{source.randrange(10**9)}?from=list&place={n}"),
    "ids": _lines(lambda source, n: f"{uuid.UUID(int=source.getrandbits(128))} {n}"),
    "one letter a line": _lines(lambda source, _: source.choice("abcdefgh")),
    "dashes": lambda chars: "-=" * (chars // 2),
    "svg": _lines(
        lambda source, n: f'<path d="M{source.randrange(99)} {n}L{n} {source.randrange(99)}Z" fill="#{n % 999:03}"/>'
    ),
}
