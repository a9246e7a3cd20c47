"""What the docs show works, and what exists is in the docs."""

import json
import re
from pathlib import Path

import httpx
import pytest
from pydantic.fields import FieldInfo
from typer.testing import CliRunner

from memory.recall.neighbour_features import PARTS
from tirtha.cli.app import app
from tirtha.settings import PolicySettings, Settings, TenantSettings, TierSettings

ROOT = Path(__file__).resolve().parent.parent
README = (ROOT / "README.md").read_text("utf-8")


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
    ("section", "name", "field"),
    [
        (section, name, field)
        for section, model in (
            ("# Settings", Settings),
            ("## Tiers", TierSettings),
            ("## Policy", PolicySettings),
            ("## Tenants", TenantSettings),
        )
        for name, field in model.model_fields.items()
    ],
)
def test_every_setting_is_documented_with_its_default(section: str, name: str, field: FieldInfo) -> None:
    text = (ROOT / "docs/settings.md").read_text("utf-8").split(f"{section}\n")[1].split("\n## ")[0]
    [row] = [line for line in text.splitlines() if line.startswith(f"| `{name}` |")]
    shown = (
        "none" if field.default is None or field.is_required() or name in {"policy", "tenant"} else f"`{field.default}`"
    )
    assert f"| {shown} |" in row
    assert str(field.description) in row


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


def test_every_linked_page_is_there() -> None:
    for page in [ROOT / "README.md", *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", page.read_text("utf-8")):
            assert (page.parent / target).exists(), f"{page.name} links to {target}"
