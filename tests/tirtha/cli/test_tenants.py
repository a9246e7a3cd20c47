"""Tenants from the command line, over a real server."""

import json

import pytest

from tests.tirtha.cli.conftest import Tirtha


def test_a_tenant_is_made_set_listed_and_deleted(tirtha: Tirtha) -> None:
    made = tirtha("tenants", "create", "acme", "stored_turns=100_000", "usd-per-day=2.50", "max_tier=local")
    assert made.exit_code == 0, made.stderr
    assert "acme: stored_turns=100000, usd_per_day=2.500000, max_tier=local" in made.stdout
    changed = tirtha("tenants", "set", "acme", "stored_turns=default", "turns_days=30", "--json")
    assert json.loads(changed.stdout)["set"]["turns_days"] == 30
    listed = {one["name"]: one["set"] for one in json.loads(tirtha("tenants", "list", "--json").stdout)["tenants"]}
    assert (listed["acme"]["usd_per_day"], listed["acme"]["turns_days"]) == ("2.500000", 30)
    assert all(name in tirtha("tenants", "list").stdout for name in listed)
    page = json.loads(tirtha("tenants", "list", "--limit", "1", "--json").stdout)
    assert [one["name"] for one in page["tenants"]] == ["acme"]
    rest = tirtha("tenants", "list", "--limit", "1", "--cursor", page["next"]).stdout
    assert "acme" not in rest
    gone = tirtha("tenants", "delete", "acme", "--confirm", "acme")
    assert gone.stdout.strip() == "Forgot 0 turns and 0 decisions; acme is gone."


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (("create", "Acme"), 1, "NAME must be 1 to 64 characters"),
        (("create", "acme", "stored_turn=7"), 1, "stored_turn is not a field of this request"),
        (("create", "acme", "usd_per_day=much"), 1, "usd_per_day must be an amount of US dollars"),
        (("create", "acme", "stored_turns"), 2, "is no value"),
        (("create", "acme", "turns_days=1", "turns-days=2"), 2, "turns_days is given twice"),
        (("create", "default"), 1, "the tenant 'default' exists already"),
        (("set", "acme"), 2, "say what is to be set"),
        (("set", "nobody", "turns_days=1"), 1, "there is no tenant 'nobody'"),
        (("delete", "acme"), 2, "--confirm"),
        (("delete", "default", "--confirm", "default"), 1, "every installation has"),
    ],
)
def test_what_is_wrong_is_said_and_changes_nothing(
    tirtha: Tirtha, arguments: tuple[str, ...], status: int, words: str
) -> None:
    ended = tirtha("tenants", *arguments)
    assert ended.exit_code == status, ended.output
    assert words in " ".join(ended.stderr.replace("│", " ").split())
    assert ended.stdout == ""
    assert [one["name"] for one in json.loads(tirtha("tenants", "list", "--json").stdout)["tenants"]] == ["default"]
