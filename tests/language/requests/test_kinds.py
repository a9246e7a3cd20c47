"""What kind of answer a question asks for."""

import pytest

from language.requests.kinds import asks_several, kind_of


@pytest.mark.parametrize(
    ("question", "kind"),
    [
        ("How many cats are there?", "how_many"),
        ("How long did it take?", "how_long"),
        ("When did she go?", "when"),
        ("What month was it?", "when"),
        ("Who went?", "who"),
        ("Where is it?", "where"),
        ("Why did he go?", "why"),
        ("Which one?", "which"),
        ("What is it?", "what"),
        ("Did she go?", "whether"),
        ("Tell me.", "other"),
    ],
)
def test_kind(question: str, kind: str) -> None:
    assert kind_of(question) == kind


def test_several() -> None:
    assert asks_several("Which cities has she seen?")
    assert not asks_several("Which city has she seen?")
