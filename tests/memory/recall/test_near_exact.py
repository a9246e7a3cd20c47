"""A sentence asked back in nearly its own words comes first, in every language, whatever else is said about the same people."""

import pytest

from eval.plain_facts.data import ATTRIBUTES, LANGUAGES, read_table, worded
from memory.api import Memory
from tests.support.remembering import indexed, remember
from tests.support.turns import MAY_8, SCOPE, said

PEOPLE = 10
ASKED = "garage_code"


@pytest.mark.parametrize(
    "language", [pytest.param(one, marks=() if one == "en" else pytest.mark.slow) for one in LANGUAGES]
)
async def test_a_near_exact_match_stays_first(memory: Memory, language: str) -> None:
    """The code for Lucy's garage: among the codes of nine others, and among eleven other facts about each of them."""
    table = read_table(language)
    people = table.names["judging"][:PEOPLE]
    facts = [
        said(worded(entry.statements[0], name, entry.values[place]), id=f"{attribute} {name.name}")
        for attribute, entry in ((one, table.attributes[one]) for one in ATTRIBUTES["judging"])
        for place, name in enumerate(people)
    ]
    await indexed(memory, await remember(memory, *facts))
    question = table.attributes[ASKED].questions[0]
    for name in people:
        found = await memory.recall(SCOPE, worded(question, name), MAY_8)
        assert found.evidence[0].turn.id == f"{ASKED} {name.name}"
