"""Commands over tenants: create, list, set, delete. They need the rights of an administrator of the tenant `default`.

Values are given as `stored_turns=100000`. Which there are, and what each may be, the service knows.
"""

from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.table import Table

from tirtha.cli.client import in_path, print_answer, request, send
from tirtha.cli.running import given, out, print_lines, run
from tirtha.terminal import one_entry

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Tenants: make, list, set and delete them.")

_BACK = "default"  # in place of a value: what the settings say

Name = Annotated[str, typer.Argument(help="the tenant: 1 to 64 characters of a-z, 0-9, dot, underscore, hyphen")]
Values = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="[VALUE=...]...",
        help="stored_turns, requests_per_minute, turns_per_minute, tokens_per_minute, the last three with user_ before them, "
        "usd_per_day, turns_days, decisions_days, audit_days, max_tier, unverified, chat_checks; "
        f"{_BACK} in place of a value sets it back",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]


@app.command("create")
def create_tenant(name: Name, values: Values = None, *, as_json: AsJson = False) -> None:
    """Make a tenant; what is not given follows the settings."""
    answer = run(send("POST", "/v1/tenants", body={"name": name} | _read(values or ())))
    print_answer(answer, as_json, _described(answer))


@app.command("set")
def set_tenant(name: Name, values: Values = None, *, as_json: AsJson = False) -> None:
    """Set values of a tenant; what is not named stays as it is."""
    if not values:
        raise typer.BadParameter("say what is to be set, such as stored_turns=100000")
    answer = run(send("PATCH", _path(name), body=_read(values)))
    print_answer(answer, as_json, _described(answer))


@app.command("list")
def list_tenants(
    *,
    limit: Annotated[int, typer.Option(help="tenants")] = 100,
    cursor: Annotated[str | None, typer.Option(help="where the page before ended")] = None,
    as_json: AsJson = False,
) -> None:
    """List tenants: the turns each has, what it has spent today, and what was set for it."""
    answer = run(request("GET", "/v1/tenants", given(limit=limit, cursor=cursor)))
    if as_json:
        print_answer(answer, as_json, "")
        return
    table = Table("tenant", "turns", "spent today, US$", "set")
    for one in answer["tenants"]:
        name = f"{one['name']} (being deleted)" if one["deleting"] else one["name"]
        table.add_row(name, f"{one['turns']:,}", one["spent_today_usd"], _listed(one["set"]))
    out.print(table)
    if answer["next"]:
        print_lines(out, one_entry(f"There are more: --cursor {answer['next']}"))


@app.command("delete")
def delete_tenant(
    name: Name,
    *,
    confirm: Annotated[str, typer.Option("--confirm", help="the tenant's name once more")],
    as_json: AsJson = False,
) -> None:
    """Delete a tenant and forget everything of it, for good."""
    answer = run(request("DELETE", _path(name), {"confirm": confirm}))
    print_answer(
        answer, as_json, f"Forgot {answer['turns']} turns and {answer['decisions']} decisions; {name} is gone."
    )


def _read(values: Sequence[str]) -> dict[str, Any]:
    """Read `name=value`, hyphens or underscores in the name: whole numbers as such, `default` as null, the rest as text."""
    read: dict[str, Any] = {}
    for one in values:
        name, equals, value = one.partition("=")
        name = name.strip().removeprefix("--").replace("-", "_")
        if not (equals and name and value.strip()):
            raise typer.BadParameter(f"{one!r} is no value: write it as stored_turns=100000")
        if name in read:
            raise typer.BadParameter(f"{name} is given twice")
        whole = value.strip().replace("_", "")
        read[name] = None if value.strip() == _BACK else int(whole) if whole.isdecimal() else value.strip()
    return read


def _path(name: str) -> str:
    return f"/v1/tenants/{in_path(name)}"


def _listed(values: dict[str, Any]) -> str:
    return ", ".join(f"{key}={value}" for key, value in values.items() if value is not None) or "-"


def _described(shown: dict[str, Any]) -> str:
    return one_entry(f"{shown['name']}: {_listed(shown['set'])}") + one_entry(f"\nin force: {_listed(shown['terms'])}")
