"""Commands over API keys: `tirtha keys create`, `list`, `revoke`.

They ask the server that runs on the data folder. Where none runs they open the keys in the folder alone, without the engine, which
takes long to open and may be what is out of order.
"""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer

from tirtha.cli.client import Json, flagged, in_path, post, print_answer, request
from tirtha.cli.connection import ShownKey, credentials
from tirtha.cli.running import CommandFailed, err, given, print_lines, read_settings, run
from tirtha.errors import NotOpened
from tirtha.http.address import running_server
from tirtha.terminal import one_entry

if TYPE_CHECKING:
    from pydantic import BaseModel

    from tirtha.caller import Caller
    from tirtha.keys.administration import Keys

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Make, list and revoke API keys.")

AsJson = Annotated[bool, typer.Option("--json", help="print the response as JSON")]
Tenant = Annotated[str | None, typer.Option("--tenant", help="whose memory the key opens; default `default`")]
Here = Callable[["Keys", "Caller"], Awaitable["BaseModel"]]
M = TypeVar("M", bound="BaseModel")
_PAGE = 1_000


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="what the key is for, as lists show it")],
    *,
    tenant: Tenant = None,
    rights: Annotated[str | None, typer.Option(help="of read,write,admin; default read,write")] = None,
    user: Annotated[str | None, typer.Option("--user", "-u", help="the only user that the key acts for")] = None,
    expires: Annotated[str | None, typer.Option(help="a day (to its end, UTC), or ISO 8601 with a zone")] = None,
    trusted_proxy: Annotated[
        bool, typer.Option("--trusted-proxy", help="whether its requests may say which user they are for, by headers")
    ] = False,
    time_zone: Annotated[
        str | None,
        typer.Option("--time-zone", help="where its user is, such as Europe/Berlin: chats read `yesterday` there"),
    ] = None,
    _key: ShownKey = None,
) -> None:
    """Make a key, and print it alone. It cannot be shown again."""
    listed = [right.strip() for right in rights.split(",")] if rights is not None else None
    body = given(name=name, tenant=tenant, rights=listed, user_id=user, expires_at=expires, time_zone=time_zone)
    body |= {"trusted_proxy": True} if trusted_proxy else {}

    async def here(keys: "Keys", caller: "Caller") -> "BaseModel":
        from tirtha.http.schemas.keys import KeyIn, KeyMadeOut  # noqa: PLC0415 - slow to import

        return KeyMadeOut.of(await keys.create(caller, _read(KeyIn, body).request()))

    made = run(_either(lambda: post("/v1/keys", body), here))
    typer.echo(made["key"])
    made_text = f"Made the key {_described(made)}. It is not shown again; `tirtha keys revoke {made['id']}` revokes it."
    print_lines(err, one_entry(made_text))


@app.command("list")
def list_keys(
    *,
    tenant: Annotated[str | None, typer.Option("--tenant", help="only the keys of this tenant")] = None,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """List the keys, oldest first, without their secrets."""

    async def there() -> Json:
        found = await request("GET", "/v1/keys", given(tenant=tenant, limit=_PAGE))
        keys, cursor = found["keys"], found["next"]
        while cursor:
            found = await request("GET", "/v1/keys", given(tenant=tenant, limit=_PAGE, cursor=cursor))
            keys, cursor = keys + found["keys"], found["next"]
        return {"keys": keys, "next": None}

    async def here(keys: "Keys", caller: "Caller") -> "BaseModel":
        from tirtha.http.schemas.keys import KeyOut, KeysOut, KeysQuery  # noqa: PLC0415 - slow to import

        query = _read(KeysQuery, given(tenant=tenant, limit=_PAGE))
        page = await keys.page(caller, query.request(None))
        listed = [*page.keys]
        while page.end:
            page = await keys.page(caller, query.request(page.end))
            listed += page.keys
        return KeysOut(keys=[KeyOut.of(key) for key in listed], next=None)

    found = run(_either(there, here))
    rows = [one_entry(f"{one['state']:<11}  {_described(one)}{_when(one)}") for one in found["keys"]]
    none = "There is no key" + (
        f" of the tenant {tenant}." if tenant else ": everybody on this machine may do everything."
    )
    print_answer(found, as_json, "\n".join(rows) or none)


@app.command()
def revoke(
    key_id: Annotated[str, typer.Argument(metavar="ID", help="the key's id, as `tirtha keys list` shows it")],
    *,
    as_json: AsJson = False,
    _key: ShownKey = None,
) -> None:
    """Revoke a key for good."""

    async def here(keys: "Keys", caller: "Caller") -> "BaseModel":
        from tirtha.http.schemas.keys import KeyOut  # noqa: PLC0415 - slow to import

        return KeyOut.of(await keys.revoke(caller, key_id))

    revoked = run(_either(lambda: request("DELETE", f"/v1/keys/{in_path(key_id)}", {}), here))
    print_answer(revoked, as_json, one_entry(f"Revoked the key {_described(revoked)}."))


async def _either(there: Callable[[], Awaitable[Json]], here: Here) -> Json:
    """Ask the server that runs on the data folder, or else the keys in it."""
    settings = read_settings()
    if running_server(settings.folder):
        return await there()
    from memory.errors import MemoryFault  # noqa: PLC0415 - a running server spares us these imports
    from tirtha.keys.authentication import Shown  # noqa: PLC0415
    from tirtha.wiring.keys import keys_here  # noqa: PLC0415

    try:
        async with keys_here(settings) as opened:
            shown = credentials(settings, opened.authentication.local_proof)
            caller = await opened.authentication.caller(Shown(credentials=shown.get("authorization")))
            return (await here(opened.keys, caller)).model_dump(mode="json")
    except MemoryFault as fault:
        raise NotOpened(str(fault)) from fault


def _read(model: type[M], fields: Json) -> M:
    """Read fields as the HTTP contract does. Raises CommandFailed in the words of the command line."""
    from pydantic import ValidationError  # noqa: PLC0415

    from tirtha.http.errors import located, why  # noqa: PLC0415

    try:
        return model.model_validate(fields)
    except ValidationError as fault:
        faults = [{"at": located(one["loc"]), "why": why(dict(one))} for one in fault.errors()]
        raise CommandFailed(flagged("; ".join(f"{one['at']} {one['why']}" for one in faults[:3]), faults)) from None


def _described(key: Json) -> str:
    bound = f", only for the user {key['user_id']}" if key["user_id"] else ""
    trusted = ", a trusted proxy" if key["trusted_proxy"] else ""
    zone = f", in {key['time_zone']}" if key["time_zone"] else ""
    return f"{key['id']} ({key['name']}): {','.join(key['rights'])} of the tenant {key['tenant']}{bound}{trusted}{zone}"


def _when(key: Json) -> str:
    ends = f"expires {_minute(key['expires_at'])}" if key["expires_at"] else "does not expire"
    return f"; made {_minute(key['created_at'])}, {ends}, last used {_minute(key['last_used_at'])}"


def _minute(moment: str | None) -> str:
    return moment[:16].replace("T", " ") if moment else "never"
