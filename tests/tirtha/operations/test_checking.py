"""What a chat says of memory is held to the person that memory speaks of."""

from time import perf_counter

import pytest

from cascade.call_trace import Trace
from cascade.model import Usage
from cascade.tiers.hearing import Heard
from tests.support.briefs import brief, quote
from tirtha.operations.chat.asked import ChatTurn
from tirtha.operations.chat.checking import check


@pytest.mark.parametrize(
    ("line", "answer", "passed"),
    [
        ("My sister's name is Ada.", "Your brother's name is Ada.", False),
        ("My sister's name is Ada.", "Your sister's name is Ada.", True),
        ("My mum lives in Bergen.", "Your mother lives in Bergen.", True),
        ("My uncle lives in Bergen.", "Your aunt lives in Bergen.", False),
    ],
)
async def test_another_relation_than_the_notes_tell(line: str, answer: str, *, passed: bool) -> None:
    heard = Heard(text=answer, calls=(), finish="stop", model="m", usage=Usage())
    asked = [ChatTurn(role="user", text="What do you know of my family?")]
    checked = await check(heard, brief("?", quote(1, line, 0.9)), asked, Trace(started_s=perf_counter(), deadline_s=5))
    assert checked
    assert checked.passed == passed
    assert passed or "another relation" in checked.reasons
