"""Nothing passes silently: bodies in other encodings, ambiguous JSON, unknown or repeated parameters, other hosts."""

import json
from typing import Any

import httpx
from fastapi.routing import APIRoute, iter_route_contexts

from tirtha.http.app import create_app
from tirtha.http.strict_route import StrictRoute
from tirtha.service import Service
from tirtha.settings import Settings

ASKED = {"user_id": "u1", "question": "Where does my sister live?"}
POSTED = ("/v1/remember", "/remember", "/v1/recall", "/v1/context", "/v1/ask", "/ask")


async def posted(client: httpx.AsyncClient, body: bytes, path: str = "/v1/context") -> httpx.Response:
    return await client.post(path, content=body, headers={"content-type": "application/json"})


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    problem: dict[str, Any] = answer.json()
    assert answer.status_code == problem["status"] == status, problem
    assert answer.headers["content-type"] == "application/problem+json"
    return problem


ENCODINGS: list[str] = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"]


async def test_bodies_in_other_encodings(client: httpx.AsyncClient) -> None:
    for encoding in ENCODINGS:
        for path in POSTED:
            problem = problem_of(await posted(client, json.dumps(ASKED).encode(encoding), path), 400)
            assert problem["detail"] == f"the body is {encoding[:6].upper()}; send UTF-8"


BAD_BODIES: list[tuple[bytes, int, str]] = [
    (b'{"user_id": "u\xff"}', 400, "the body is not UTF-8: 0xff at byte 14"),
    (b'{"user_id": "\xc0\xaf"}', 400, "the body is not UTF-8: 0xc0 at byte 13"),
    (b'{"user_id": "\xed\xa0\x80"}', 400, "the body is not UTF-8: 0xed at byte 13"),
    ('{"user_id": "é"}'.encode("latin-1"), 400, "the body is not UTF-8: 0xe9 at byte 13"),
    (b'{"user_id": "u1",}', 400, "the body is no JSON"),
    (b'{"user_id": "u1"} {}', 400, "the body is no JSON: Extra data"),
    (b"[" * 200_000, 400, "the body is nested too deeply to be read"),
    (b'{"a":' * 200_000, 400, "the body is nested too deeply to be read"),
    (b'{"budget": NaN}', 400, "the body is no JSON: NaN is no number of it"),
    (b'{"budget": -Infinity}', 400, "the body is no JSON: -Infinity is no number of it"),
    (b'{"budget": ' + b"9" * 10_000 + b"}", 400, "the body holds a number with too many digits to be read"),
    (b'{"user_id": "u1", "question": "x", "budget": ' + b"9" * 400 + b"}", 422, "budget"),
    (b'{"user_id": "u1", "question": "x", "budget": 1e999}', 422, "budget"),
    (b'{"user_id": "u1", "question": "a", "question": "b"}', 422, "question is given more than once"),
    (b'{"user_id": "u1", "question": "a", "\\ud800": "b"}', 422, "body holds half a surrogate pair"),
    (b'{"user_id": "u1", "question": "a\\u0000"}', 422, "question must not hold the character NUL (U+0000)"),
    (b'{"user_id": "u\\udc00", "question": "a"}', 422, "user_id holds half a surrogate pair"),
]


async def test_bodies_that_mean_nothing_certain(client: httpx.AsyncClient) -> None:
    for body, status, detail in BAD_BODIES:
        assert problem_of(await posted(client, body), status)["detail"].startswith(detail), body[:80]


async def test_a_byte_order_mark_before_a_body_is_ignored(client: httpx.AsyncClient) -> None:
    answer = await posted(client, b"\xef\xbb\xbf" + json.dumps(ASKED).encode())
    assert answer.status_code == 200


BLANKS: list[str] = [
    "",
    " ",
    "\u200b",
    "\u2800",
    "\u3164\u115f\u1160\uffa0",
    "\u00ad\u2060\ufeff",
    "\u3000",
]


async def test_texts_and_ids_that_show_nothing(client: httpx.AsyncClient) -> None:
    for blank in BLANKS:
        turn = {"role": "user", "text": "fine"}
        remember = {"user_id": "u1", "turns": [turn]}
        requests: list[tuple[str, dict[str, Any], str]] = [
            ("/v1/remember", remember | {"turns": [turn | {"text": blank}]}, "turns[0].text"),
            ("/v1/remember", remember | {"turns": [turn | {"id": blank}]}, "turns[0].id"),
            ("/v1/remember", remember | {"turns": [turn | {"speaker": blank}]}, "turns[0].speaker"),
            ("/v1/remember", remember | {"session_id": blank}, "session_id"),
            ("/v1/remember", remember | {"user_id": blank}, "user_id"),
            ("/v1/remember", remember | {"agent_id": blank}, "agent_id"),
            *((path, ASKED | {"question": blank}, "question") for path in ("/v1/recall", "/v1/context", "/v1/ask")),
            *((path, ASKED | {"user_id": blank}, "user_id") for path in ("/v1/recall", "/v1/context", "/v1/ask")),
            ("/v1/ask", ASKED | {"session_id": blank}, "session_id"),
        ]
        for path, body, at in requests:
            problem = problem_of(await client.post(path, json=body), 422)
            assert [fault["at"] for fault in problem["errors"]] == [at]
        for name in ("user_id", "agent_id", "cursor"):
            problem = problem_of(await client.get("/v1/sessions", params={"user_id": "u1"} | {name: blank}), 422)
            assert [fault["at"] for fault in problem["errors"]] == [name]
        assert (await client.get("/readyz")).json()["turns"] == 0


async def test_ids_have_1_to_128_characters_of_any_script(client: httpx.AsyncClient) -> None:
    for user_id in ("x" * 128, "ü" * 128, "🦊" * 128, " u ", "a/b", "u\u200b1"):
        assert (await posted(client, json.dumps(ASKED | {"user_id": user_id}).encode())).status_code == 200
    for user_id in ("x" * 129, "🦊" * 129):
        problem_of(await posted(client, json.dumps(ASKED | {"user_id": user_id}).encode()), 422)


BAD_TIMES: list[tuple[object, str]] = [
    ("2023-05-08T13:56:00", "has no time zone"),
    ("2023-05-08", "has no time zone"),
    ("yesterday", "is no ISO 8601 time"),
    ("", "is no ISO 8601 time"),
    ("2023-02-30T10:00:00Z", "is no ISO 8601 time"),
    ("2023-05-08T13:56:00+99:00", "is no ISO 8601 time"),
    ("2023-05-08T25:00:00Z", "is no ISO 8601 time"),
    ("\ud800", "is no ISO 8601 time"),
    ("0001-01-01T00:00:00+23:59", "between the year 1900 and a year from now"),
    ("9999-12-31T23:59:59-23:59", "between the year 1900 and a year from now"),
    ("1899-12-31T23:59:59Z", "between the year 1900 and a year from now"),
    (True, "must be a string"),
    (10**30, "must be a string"),
]


async def test_times_without_a_zone_or_out_of_range(client: httpx.AsyncClient) -> None:
    for said_at, why in BAD_TIMES:
        turns = [{"role": "user", "text": "x", "said_at": said_at}]
        for path, body in (
            ("/v1/remember", {"user_id": "u1", "turns": turns}),
            ("/v1/context", ASKED | {"asked_at": said_at}),
        ):
            problem = problem_of(await posted(client, json.dumps(body).encode(), path), 422)
            assert why in problem["detail"]


async def test_every_route_refuses_unknown_and_repeated_parameters(
    client: httpx.AsyncClient, service: Service, settings: Settings
) -> None:
    contexts = iter_route_contexts(create_app(service, settings).routes)
    routes = [context.original_route for context in contexts if isinstance(context.original_route, APIRoute)]
    assert routes
    for route in routes:
        assert isinstance(route, StrictRoute), f"{route.path}: make its router with route_class=StrictRoute"
        path = route.path_format.format(**dict.fromkeys(route.param_convertors, "x"))
        for method in route.methods or ():
            body = b"" if method in {"GET", "DELETE"} else json.dumps(ASKED).encode()
            headers = {"content-type": "application/json"} if body else {}
            for query in ("?usr_id=u1", "?user_id=u1&user_id=u2"):
                answer = await client.request(method, path + query, content=body, headers=headers)
                if route.checks_query:
                    assert problem_of(answer, 422)["errors"][0]["at"] in {"usr_id", "user_id"}, (method, path, query)
                else:  # of another API, whose clients may send what nobody here knows
                    assert "usr_id" not in answer.text, (method, path, query)


BAD_QUERIES: list[tuple[str, int, str, str]] = [
    ("user_id=u1&user=u2", 422, "user", "is not a field of this request"),
    ("user_id=u1&USER_ID=u2", 422, "USER_ID", "is not a field of this request"),
    ("user_id=u1&user_id=u1", 422, "user_id", "is given more than once"),
    ("user_id=u1&user%5Fid=u2", 422, "user_id", "is given more than once"),
    ("user_id=u1&limit=1&limit=2", 422, "limit", "is given more than once"),
    ("user_id=u1&limit=1e3", 422, "limit", ""),
    ("user_id=u1&limit=" + "9" * 5_000, 422, "limit", ""),
    ("user_id=%FF", 400, "query", "must be percent-encoded UTF-8"),
    ("user_id=%00", 422, "user_id", "must not hold control characters"),
    ("user_id", 422, "user_id", ""),
]


async def test_query_strings(client: httpx.AsyncClient) -> None:
    for query, status, at, why in BAD_QUERIES:
        problem = problem_of(await client.get(f"/v1/sessions?{query}"), status)
        [fault] = problem["errors"]
        assert fault["at"] == at, query
        assert why in fault["why"], query


OUR_NAMES: list[str] = [
    "localhost",
    "LOCALHOST:80",
    "LocalHost.",
    "localhost.:8765",
    "127.0.0.1",
    "127.0.0.1:1",
    "localhost:",
]


async def test_our_names_in_any_spelling(client: httpx.AsyncClient) -> None:
    for host in OUR_NAMES:
        assert (await client.get("/healthz", headers={"host": host})).status_code == 200, host


OTHER_NAMES: list[str] = [
    "evil.example",
    "evil.example:8765",
    "localhost.evil.example",
    "localhost:80:80",
    "localhost:x",
    "a@localhost",
    ".",
    "",
]


async def test_other_names(client: httpx.AsyncClient) -> None:
    for host in OTHER_NAMES:
        problem = problem_of(await client.get("/healthz", headers={"host": host}), 400)
        assert problem["errors"][0]["at"] == "host", host


async def test_two_names_are_no_name(client: httpx.AsyncClient) -> None:
    answer = await client.get("/healthz", headers=[("host", "localhost"), ("host", "evil.example")])
    problem_of(answer, 400)
