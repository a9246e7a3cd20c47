"""What is passed over as machine text, and what is not."""

import base64
import hashlib
import json
import random
import textwrap
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eval.harness.machine_text import MACHINE_TEXTS
from language import readable
from language.segmentation.machine_text import machine_spans

RANDOM = random.Random(7)  # noqa: S311 - no secret
BASE64 = base64.b64encode(RANDOM.randbytes(3_000)).decode()


def covered(text: str) -> float:
    return sum(end - start for start, end in machine_spans(text)) / len(text)


@pytest.mark.parametrize(
    "data",
    [
        BASE64,
        BASE64.replace("+", "-").replace("/", "_"),
        f"data:image/png;base64,{BASE64}",
        f"data:application/pdf;name=a.pdf;base64,{BASE64[:800]}",
        base64.b32encode(RANDOM.randbytes(900)).decode(),
        RANDOM.randbytes(900).hex(),
        RANDOM.randbytes(300).hex(" "),
        RANDOM.randbytes(300).hex(":"),
        ", ".join(f"0x{byte:02x}" for byte in RANDOM.randbytes(300)),
        "A" * 5_000,
        "ACGTTGCA" * 200,
        json.dumps([round(RANDOM.random(), 4) for _ in range(300)]),
        " ".join(str(RANDOM.randrange(1_000)) for _ in range(300)),
        ";".join(f"{RANDOM.random():e}" for _ in range(300)),
        json.dumps([{"id": n, "name": f"n{n}", "v": n * 3} for n in range(100)], separators=(",", ":")),
        "function(e,t){return e.x?t(e.y):void 0};" * 60,
        ".a{margin:0;padding:0}.b>.c{color:#fff;background:#000}" * 40,
    ],
    ids=lambda data: data[:24],
)
def test_machine_text_is_passed_over_and_the_words_beside_it_are_kept(data: str) -> None:
    alone = f"Before it.\n{data}\nBehind it, too."
    assert covered(alone) > 0.9
    assert readable(alone).startswith("Before it.\n")
    assert readable(alone).endswith("\nBehind it, too.")


@pytest.mark.parametrize(
    ("lines", "wrap"),
    [
        (textwrap.wrap(BASE64, 76), "{}"),
        (textwrap.wrap(BASE64, 64), "  {}"),
        ([f"{n * 16:08x}: {RANDOM.randbytes(16).hex(' ', 2)}  ..A..b.." for n in range(30)], "{}"),
        ([f"{RANDOM.random():.4f}," for _ in range(60)], "  {}"),
    ],
)
def test_lines_of_data_are_passed_over(lines: list[str], wrap: str) -> None:
    body = "\n".join(wrap.format(line) for line in lines)
    text = f"This is the certificate:\n{body}\nKeep it."
    assert readable(text).startswith("This is the certificate:")
    assert readable(text).endswith("Keep it.")
    assert len(readable(text)) < 200


def test_of_a_long_address_the_readable_part_stays() -> None:
    query = "&".join(f"utm_{n}={n:012}" for n in range(20))
    assert (
        readable(f"See https://shop.example/herons/green?{query} today.")
        == "See https://shop.example/herons/green  today."
    )
    path = "/".join(f"step{n:04}" for n in range(40))
    kept = readable(f"See https://shop.example/{path} today.").split()
    assert f"https://shop.example/{path}".startswith(kept[1])
    assert kept[1].endswith("/")
    assert kept[2] == "today."


@pytest.mark.parametrize(
    "text",
    [
        f"The checksum is {hashlib.sha512(b'heron').hexdigest()}, of today's build.",
        "It lies in /usr/lib/python3/dist-packages/very/long/path/that/goes_on/and-on/some_package/another_module/file_name.py.",
        "com.example.service.impl.CustomerAccountServiceImplFactoryBeanProxy.handleTheVeryLongNamedRequestOfTheCustomer(Request.java:42)",
        "今天我去了公园然后又去了图书馆" * 40,
        "วันนี้ฉันไปสวนสาธารณะแล้วก็ไปห้องสมุด" * 20,
        "Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz " * 10,
        "\n".join(f"2025-03-04 12:{n:02}:01 INFO worker-{n} finished job {n * 17} in {n}.3 s" for n in range(50)),
        "day,steps,km\n" + "\n".join(f"{n},{n * 1000},{n / 2}" for n in range(1, 60)),
        "I was born in 1984, moved in 2001, 2005 and 2010, and pay 1,200 or 1,300 a month. " * 10,
        "We meet at 10:30, 11:30, 12:30, 13:30, 14:30 and 15:30 on 3, 4, 5, 6, 7 and 8 May.",
        "-" * 500,
        "haha" * 25,
    ],
    ids=lambda text: text[:24],
)
def test_what_people_may_ask_for_is_no_machine_text(text: str) -> None:
    assert machine_spans(text) == []
    assert readable(text) is text


@pytest.mark.parametrize(("name", "make"), MACHINE_TEXTS.items())
def test_the_words_around_each_machine_text_are_read(name: str, make: Callable[[int], str]) -> None:
    text = f"My heron is green.\n{make(20_000)}\nThe pond is {name}."
    assert readable(text).startswith("My heron is green.")
    assert readable(text).endswith(f"The pond is {name}.")


@given(st.text(st.sampled_from("aZ9+/= \n,.{}x0:h"), max_size=600))
def test_spans_are_in_order_apart_and_inside(text: str) -> None:
    places = [place for span in machine_spans(text) for place in span]
    assert places == sorted(set(places))
    assert all(0 <= place <= len(text) for place in places)
