"""What the docs show works, and what exists is in the docs."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import BaseModel
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from language import split_sentences
from memory.recall.neighbour_features import PARTS
from tirtha.cli.app import app
from tirtha.settings import PolicySettings, Settings, TenantSettings, TierSettings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")
# The lab log and the decisions keep the words of their day.
PROSE = [ROOT / "README.md"] + [
    page
    for page in sorted((ROOT / "docs").rglob("*.md"))
    if page.name != "lab.md" and "adr" not in page.relative_to(ROOT).parts
]
MAX_WORDS_OF_A_SENTENCE = 30
MAX_SEMICOLONS_OF_A_SENTENCE = 1
MAX_WORDS_OF_A_CELL = 45
# Old or figurative words with a plain one beside them: expensive, repair, count, anyone, no one, saving, budget, say, gain.
RETIRED = re.compile(
    r"\b(dear(est|er)?|mend(s|ed|ing)?|reckon(s|ed|ing)?|whoever|nobody|thrift|purse|accused?|wish(es|ed)?|told|tells|telling|taste"
    r"|doors?|news)\b",
    re.IGNORECASE,
)


async def test_the_readmes_first_result(client: httpx.AsyncClient) -> None:
    requests = re.findall(
        r"127\.0\.0\.1:8765(/v1/\w+) -H 'content-type: application/json' -d '(.+?)'\n", README, re.DOTALL
    )
    assert [path for path, _ in requests] == ["/v1/remember", "/v1/ask"]
    for path, body in requests:
        response = await client.post(path, json=json.loads(body))
        assert response.is_success, response.text
    answer = response.json()
    assert f'"{answer["answer"]}"' in README
    assert answer["context"]["text"] in README
    assert answer["citations"][0]["turn_id"] in README


@pytest.mark.parametrize(
    ("section", "model"),
    [
        ("# Settings", Settings),
        ("## Tiers", TierSettings),
        ("## Policy", PolicySettings),
        ("## Tenants", TenantSettings),
    ],
)
def test_every_setting_is_documented_with_its_default(section: str, model: type[BaseModel]) -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8").split(f"{section}\n")[1].split("\n## ")[0]
    rows = {line.split("`")[1]: line for line in text.splitlines() if line.startswith("| `")}
    assert [
        name
        for name, field in model.model_fields.items()
        if f"| {_default(name, field)} |" not in rows.get(name, "") or str(field.description) not in rows[name]
    ] == []


async def test_every_route_is_documented(client: httpx.AsyncClient) -> None:
    documented = (ROOT / "docs/http.md").read_text("utf-8")
    for path, operations in (await client.get("/openapi.json")).json()["paths"].items():
        shown = re.sub(r"\{(?:(?:decision|session|key|response)_id|model)\}", "{id}", path)
        assert any(f"{method.upper()} {shown}" in documented for method in operations), path


async def test_every_metric_is_documented(client: httpx.AsyncClient) -> None:
    documented = re.findall(r"^\| `(tirtha_\w+)` \|", (ROOT / "docs/observability.md").read_text("utf-8"), re.MULTILINE)
    shown = re.findall(r"^# HELP (tirtha_\w+)", (await client.get("/metrics")).text, re.MULTILINE)
    assert sorted(name for name in shown if not name.endswith("_created")) == sorted(documented)


def test_every_command_is_documented() -> None:
    documented = (ROOT / "docs/cli.md").read_text("utf-8")
    shown = CliRunner().invoke(app, ["--help"]).output
    for command in (
        "serve",
        "demo",
        "remember",
        "context",
        "ask",
        "recall",
        "audit",
        "doctor",
        "reindex",
        "eval",
        "mcp",
        "forget",
        "export",
        "import",
        "memories",
        "stats",
        "certify",
        "feedback",
        "replay",
        "tenants",
        "keys",
    ):
        assert command in shown
        assert f"tirtha {command}" in documented


def test_every_feature_of_recall_is_documented_with_its_part() -> None:
    table = (ROOT / "docs/recall.md").read_text("utf-8").split("| feature | part | what it is |\n")[1].split("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[1:]]
    documented = [(name.strip("|` "), part) for name, part, _ in rows]
    assert documented == [("fusion", "base"), *((name, part) for part, names in PARTS.items() for name in names)]


def test_every_linked_page_and_heading_is_there() -> None:
    for page in [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *(ROOT / "docs").rglob("*.md")]:
        for target, anchor in re.findall(r"\]\((?!http)([^)#\s]*)(?:#([^)\s]+))?\)", page.read_text("utf-8")):
            linked = page.parent / target if target else page
            assert linked.exists(), f"{page.name} links to {target}"
            assert not anchor or anchor in _anchors(linked), f"{page.name} links to {target}#{anchor}"


@pytest.mark.parametrize("page", PROSE, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_pages_are_plain_english(page: Path) -> None:
    text = page.read_text("utf-8")
    long = [
        sentence
        for paragraph in _paragraphs(text)
        for sentence in split_sentences(paragraph)
        if _words(sentence) > MAX_WORDS_OF_A_SENTENCE or sentence.count(";") > MAX_SEMICOLONS_OF_A_SENTENCE
    ]
    long += [cell for cell in _cells(text) if _words(cell) > MAX_WORDS_OF_A_CELL]
    assert not long, "\n".join(f"{_words(part)} words: {part}" for part in long)
    retired = [part for part in (*_paragraphs(text), *_cells(text)) if RETIRED.search(part)]
    assert not retired, "\n".join(retired)


def test_the_rule_for_plain_english_finds_what_it_is_for() -> None:
    long = "word " * 31
    text = f"# {long}\n\nOne; two; three.\nIt {long}\n\n- A list\n  goes on. So.\n\n```\n{long}\n```\n\n| a | `b | {long}` |\n"
    first, second = _paragraphs(text)
    assert [_words(sentence) for sentence in split_sentences(first)] == [3, 32]
    assert split_sentences(second) == ["A list goes on.", "So."]
    assert [_words(cell) for cell in _cells(text)] == [1, 1]
    assert RETIRED.search("Nobody came.")
    assert not RETIRED.search("Recommend it.")


def _default(name: str, field: FieldInfo) -> str:
    """Return a setting's default as the page shows it."""
    none = field.default is None or field.is_required() or name in {"policy", "tenant"}
    return "none" if none else f"`{field.default}`"


def _anchors(page: Path) -> list[str]:
    """Return what the headings of a page are linked by, as GitHub makes it."""
    headings = [line.lstrip("# ") for line in _outside_code_blocks(page.read_text("utf-8")) if line.startswith("#")]
    return [re.sub(r"[^\w -]", "", heading).lower().replace(" ", "-") for heading in headings]


def _paragraphs(text: str) -> Iterator[str]:
    """Yield the paragraphs and list items of a page, each as one line: no code blocks, tables, headings or rulers."""
    lines: list[str] = []
    for line in _outside_code_blocks(text):
        begins = re.match(r"(?:[-*]|\d+\.) +", line)
        skipped = not line or line.startswith(("#", "|", "---", "<!--"))
        if lines and (begins or skipped):
            yield _plain(" ".join(lines))
            lines = []
        if not skipped:
            lines.append(line[begins.end() :] if begins else line)
    if lines:
        yield _plain(" ".join(lines))


def _cells(text: str) -> Iterator[str]:
    for line in _outside_code_blocks(text):
        if line.startswith("|"):
            yield from (cell.strip() for cell in _plain(line.strip("|")).split("|"))


def _outside_code_blocks(text: str) -> list[str]:
    return [line.strip() for line in re.sub(r"^ *```.*?^ *```", "", text, flags=re.DOTALL | re.MULTILINE).splitlines()]


def _plain(markdown: str) -> str:
    """Return the words that are read: code counts as one word, a link as its text."""
    without_code = re.sub(r"(`+).+?\1", "code", markdown)
    return re.sub(r"\*\*|\]\([^)]*\)|(?<!\w)\[", "", without_code)


def _words(text: str) -> int:
    """Count the words, numbers too; signs alone are none."""
    return sum(any(sign.isalnum() for sign in word) for word in text.split())
