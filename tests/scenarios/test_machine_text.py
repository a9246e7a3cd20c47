"""Machine text beside words, code and tables, over HTTP: what people said is found, and nobody waits for a blob."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from eval.harness.machine_text import MACHINE_TEXTS
from memory.encoding.encoder import Encoder
from tests.support.server import serving


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, encoder: Encoder) -> Iterator[httpx.Client]:
    with (
        serving(tmp_path_factory.mktemp("home"), encoder) as url,
        httpx.Client(base_url=url, timeout=120) as client,
    ):
        yield client


def remember(client: httpx.Client, user: str, *texts: str, wait: str = "indexed") -> None:
    turns = [{"role": "user", "speaker": "Ann", "text": text, "said_at": "2025-03-04T10:00:00Z"} for text in texts]
    answer = client.post("/v1/remember", json={"user_id": user, "session_id": "s", "turns": turns, "wait": wait})
    assert answer.status_code == 201, answer.text


def post(client: httpx.Client, path: str, user: str, question: str) -> dict[str, Any]:
    answer = client.post(path, json={"user_id": user, "question": question})
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


@pytest.mark.parametrize("wait", ["indexed", "durable"])
@pytest.mark.parametrize(("kind", "make"), MACHINE_TEXTS.items(), ids=list(MACHINE_TEXTS))
def test_the_words_beside_machine_text_are_found(
    client: httpx.Client, kind: str, make: Callable[[int], str], wait: str
) -> None:
    data = make(4_000)
    user = f"{kind} {wait}"
    said = f"My pet heron is called Ottokar.\n{data}\nHe sleeps in the boathouse at night."
    remember(client, user, said, "I had soup for lunch.", wait=wait)
    context = post(client, "/v1/context", user, "What is my pet heron called?")
    assert "Ottokar" in context["text"]
    assert context["tokens"] <= 165
    assert all(line["quote"] in f"{said}\nI had soup for lunch." for line in context["lines"])
    assert "boathouse" in post(client, "/v1/context", user, "Where does he sleep at night?")["text"]
    stored = post(client, "/v1/recall", user, "What is my pet heron called?")["evidence"][0]["text"]
    assert stored == said  # verbatim, all of it


@pytest.mark.slow
def test_a_long_blob_costs_little_and_is_kept(client: httpx.Client) -> None:
    image = f"Here is my new logo. {MACHINE_TEXTS['data uri'](90_000)} Do you like the green heron on it?"
    remember(client, "artist", image, "My studio is in Ghent.")
    found = post(client, "/v1/recall", "artist", "Which bird is on the logo?")["evidence"]
    assert found[0]["text"] == image
    assert "green heron" in post(client, "/v1/context", "artist", "Which bird is on the logo?")["text"]


CODE = 'def roll_out(env):\n    """Roll out to ENV."""\n    check(env)\n    return deploy(env, retries=3)'
TABLE = "| name | city | rent |\n|---|---|---|\n| Ann | Ghent | 900 |\n| Bo | Rome | 1,100 |\n| Cy | Porto | 750 |"
CSV = "plant,planted,height\nrose,2021,80\noak,1998,900\nfern,2024,30"


def test_code_is_quoted_as_it_was_written(client: httpx.Client) -> None:
    remember(client, "coder", f"This is our script:\n{CODE}\nIt works.", "I like tea.")
    context = post(client, "/v1/context", "coder", "How often does roll_out retry to deploy?")
    assert any(CODE in line["quote"] for line in context["lines"])
    assert '"""Roll out to ENV."""' in context["text"]
    answer = post(client, "/v1/ask", "coder", "How many retries does roll_out deploy with?")
    assert answer["abstained"] or '"""Roll out to ENV."""' in answer["answer"]


@pytest.mark.parametrize(
    ("table", "question", "row"),
    [
        (TABLE, "What is Bo's rent?", "| Bo | Rome | 1,100 |"),
        (TABLE, "In which city does Cy live?", "| Cy | Porto | 750 |"),
        (TABLE.replace("|---|---|---|\n", ""), "What is Bo's rent?", "| Bo | Rome | 1,100 |"),
        (CSV, "What height has the oak?", "oak,1998,900"),
        (CSV.replace(",", "\t"), "When was the fern planted?", "fern\t2024\t30"),
        (CSV.replace(",", ";"), "When was the rose planted?", "rose;2021;80"),
    ],
)
def test_a_cell_is_answered_with_its_row_under_its_header(
    client: httpx.Client, table: str, question: str, row: str
) -> None:
    user = f"{question} {hash(table)}"
    remember(client, user, f"Here is the overview:\n{table}\nTell me if it is wrong.", "It rained today.")
    context = post(client, "/v1/context", user, question)
    quotes = [line["quote"] for line in context["lines"]]
    header = table.split("\n", maxsplit=1)[0]
    assert any(row in quote for quote in quotes), context["text"]
    assert any(header in quote for quote in quotes)
    best = post(client, "/v1/recall", user, question)["evidence"][0]
    assert row in best["text"]
    answer = post(client, "/v1/ask", user, question)
    assert answer["abstained"] or (row in answer["answer"] and header in answer["answer"]), answer["answer"]
