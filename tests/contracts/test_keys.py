"""What any database must do under keys: they are made, found, revoked, and no secret is in it."""

import hmac
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic
from typing import Any
from zoneinfo import ZoneInfo

import anyio
import pytest
from sqlalchemy import select

from memory.storage.database import Database
from tests.support.memory import database_in
from tirtha.caller import Caller, local_caller
from tirtha.errors import Forbidden, KeyMissing, KeyRefused, NotFromHere, OtherTenant, TenantWide, UnknownKey
from tirtha.keys.administration import KeyRequest, Keys, KeysRequest
from tirtha.keys.authentication import Authentication, Shown
from tirtha.keys.key import new_text
from tirtha.keys.schema import API_KEY
from tirtha.keys.store import KeyStore
from tirtha.settings import Settings
from tirtha.wiring.keys import KeyService, open_keys

OPERATOR = local_caller()
READ = KeyRequest(name="app", tenant="acme", rights=frozenset({"read"}))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path / "home")


@pytest.fixture
async def service(settings: Settings, opened: Database) -> AsyncIterator[KeyService]:
    async with open_keys(settings, opened) as keys:
        yield keys


@pytest.fixture
def keys(service: KeyService) -> Keys:
    return service.keys


@pytest.fixture
def authentication(service: KeyService) -> Authentication:
    return service.authentication


def bearer(text: str) -> Shown:
    return Shown(credentials=f"Bearer {text}")


async def refused(authentication: Authentication, shown: Shown) -> str:
    with pytest.raises(KeyRefused) as caught:
        await authentication.caller(shown)
    return caught.value.reason


async def test_who_calls_is_what_the_key_says(authentication: Authentication, keys: Keys) -> None:
    made = await keys.create(
        OPERATOR, KeyRequest(name="app", tenant="acme", rights=frozenset({"read", "write"}), user_id="u1")
    )
    expected = Caller(tenant="acme", rights=frozenset({"read", "write"}), key_id=made.key.id, user_id="u1")
    for scheme in ("Bearer", "bearer", "BEARER "):
        assert await authentication.caller(Shown(credentials=f"{scheme} {made.text}")) == expected
    berlin = await keys.create(
        OPERATOR, KeyRequest(name="phone", rights=frozenset({"read"}), time_zone="Europe/Berlin")
    )
    assert (await authentication.caller(bearer(berlin.text))).time_zone == ZoneInfo("Europe/Berlin")
    trusted = await keys.create(OPERATOR, KeyRequest(name="ui", rights=frozenset({"read"}), trusted_proxy=True))
    assert (await authentication.caller(bearer(trusted.text))).trusted_proxy
    assert (await authentication.caller(bearer(trusted.text))).tenant == "default"


async def test_no_secret_is_in_the_database_or_the_record(
    opened: Database, authentication: Authentication, keys: Keys, settings: Settings
) -> None:
    made = await keys.create(OPERATOR, READ)
    await authentication.caller(bearer(made.text))
    secret, pepper = made.text.rsplit("_", 1)[-1], (settings.folder / "pepper").read_text().strip()
    with opened.reading() as connection:
        row = str(connection.execute(select(API_KEY)).mappings().one())
    assert made.key.id in row
    assert secret not in row
    assert pepper not in row
    assert secret not in repr(made)
    assert pepper not in repr(made)


async def test_without_a_key_only_this_machine_is_served(authentication: Authentication, keys: Keys) -> None:
    assert await authentication.caller(Shown()) == OPERATOR
    assert await authentication.caller(bearer("whatever a client must send")) == OPERATOR
    with pytest.raises(NotFromHere) as caught:
        await authentication.caller(Shown(foreign_sign="its header X-Forwarded-For"))
    assert caught.value.sign == "its header X-Forwarded-For"
    made = await keys.create(OPERATOR, READ)
    with pytest.raises(KeyMissing):
        await authentication.caller(Shown())
    proxied = Shown(credentials=f"Bearer {made.text}", foreign_sign="its header X-Forwarded-For")
    assert (await authentication.caller(proxied)).tenant == "acme"


async def test_the_local_proof_is_good_here_only(authentication: Authentication, keys: Keys) -> None:
    await keys.create(OPERATOR, READ)
    proof = authentication.local_proof
    assert await authentication.caller(Shown(credentials=f"Tirtha-Local {proof}")) == OPERATOR
    for shown in (
        Shown(credentials=f"Tirtha-Local {proof}", foreign_sign="its address 10.0.0.3"),
        Shown(credentials=f"Tirtha-Local {proof}x"),
        Shown(credentials="Tirtha-Local"),
        Shown(credentials="Tirtha-Local é"),
    ):
        assert "proof" in await refused(authentication, shown)
    assert proof not in repr(Shown(credentials=f"Tirtha-Local {proof}"))


async def test_what_is_no_good_key_is_refused_and_explained_to_its_owner_only(
    authentication: Authentication, keys: Keys
) -> None:
    made = await keys.create(OPERATOR, READ)
    other = str(new_text())
    mixed = f"trt_{made.key.id}_{other.rsplit('_', 1)[-1].rjust(43, 'A')[-43:]}"
    assert await refused(authentication, bearer(other)) == "there is no such key"
    assert await refused(authentication, bearer(mixed)) == "there is no such key", (
        "that the id is known is not disclosed"
    )
    assert "not written as keys are" in await refused(authentication, bearer("sk-123"))
    for shown in (Shown(credentials="Basic dTpw"), Shown(credentials=made.text)):
        assert "Authorization: Bearer" in await refused(authentication, shown)
    assert await refused(authentication, bearer(f"{made.text}, Bearer {made.text}"))
    await keys.revoke(OPERATOR, made.key.id)
    assert await refused(authentication, bearer(made.text)) == "it was revoked"
    assert await refused(authentication, bearer(mixed)) == "there is no such key"


async def test_the_same_is_compared_whether_or_not_there_is_such_a_key(
    authentication: Authentication, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await keys.create(OPERATOR, READ)
    compared: list[tuple[int, int]] = []
    compare = hmac.compare_digest

    def noted(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", noted)
    wrong = made.text[:-1] + ("A" if made.text[-1] != "A" else "B")
    for text in (wrong, str(new_text())):
        await refused(authentication, bearer(text))
    assert compared == [(64, 64), (64, 64)]


async def test_an_expired_key_is_refused_at_its_moment(authentication: Authentication, keys: Keys) -> None:
    soon = datetime.now(UTC) + timedelta(seconds=0.7)
    made = await keys.create(OPERATOR, KeyRequest(name="short", rights=frozenset({"read"}), expires_at=soon))
    await authentication.caller(bearer(made.text))
    await anyio.sleep(0.8)
    assert await refused(authentication, bearer(made.text)) == "it has expired", "though it was checked a moment ago"
    with pytest.raises(KeyMissing):
        await authentication.caller(Shown())
    assert await keys.what_is_wrong() == [
        "every request needs an API key, and none is good any more: make one with `tirtha keys create NAME`"
    ]
    [listed] = (await keys.page(OPERATOR, KeysRequest())).keys
    assert listed.state == "expired"


async def test_another_process_makes_and_revokes_and_is_noticed(
    authentication: Authentication, database: str, tmp_path: Path, settings: Settings
) -> None:
    assert await authentication.caller(Shown()) == OPERATOR
    theirs = settings.model_copy(update={"pepper_file": settings.folder / "pepper"})
    with database_in(tmp_path / "other", database) as second:
        async with open_keys(theirs, second) as other:
            made = await other.keys.create(OPERATOR, READ)
            await _noticed(authentication, Shown(), KeyMissing)
            assert (await authentication.caller(bearer(made.text))).key_id == made.key.id
            await other.keys.revoke(OPERATOR, made.key.id)
            await _noticed(authentication, bearer(made.text), KeyRefused)


async def _noticed(authentication: Authentication, shown: Shown, fault: type[Exception]) -> None:
    started_s = monotonic()
    while monotonic() - started_s < 2:
        try:
            await authentication.caller(shown)
        except fault:
            return
        await anyio.sleep(0.05)
    pytest.fail("nothing was noticed for two seconds")


async def test_keys_outlive_a_restart_and_a_lost_pepper_is_reported(
    opened: Database, settings: Settings, keys: Keys
) -> None:
    made = await keys.create(OPERATOR, READ)
    async with open_keys(settings, opened) as again:
        assert (await again.authentication.caller(bearer(made.text))).key_id == made.key.id
        assert await again.keys.what_is_wrong() == []
    pepper = settings.folder / "pepper"
    kept = pepper.read_bytes()
    for lose in (pepper.unlink, lambda: pepper.write_text("another pepper, not the one\n")):
        lose()
        async with open_keys(settings, opened) as without:
            assert "lost the pepper" in await refused(without.authentication, bearer(made.text))
            faults = await without.keys.what_is_wrong()
            assert len(faults) == 2
            assert "1 API keys were made with another pepper" in faults[0]
            assert str(pepper) in faults[0]
            [listed] = (await without.keys.page(OPERATOR, KeysRequest())).keys
            assert listed.state == "pepper_lost"
        pepper.unlink(missing_ok=True)
    pepper.write_bytes(kept)
    async with open_keys(settings, opened) as restored:
        assert (await restored.authentication.caller(bearer(made.text))).key_id == made.key.id


async def test_a_use_is_noted_once_a_minute(opened: Database, settings: Settings, keys: Keys) -> None:
    made, store = await keys.create(OPERATOR, READ), KeyStore(opened)

    async def used() -> datetime | None:
        async with open_keys(settings, opened) as again:
            for _ in range(3):
                await again.authentication.caller(bearer(made.text))
        kept = store.find(made.key.id)
        assert kept
        return kept.key.last_used_at

    first = await used()
    assert first
    assert datetime.now(UTC) - first < timedelta(seconds=30)
    assert await used() == first, "a restart within the minute writes nothing"
    store.note_use(made.key.id, at=first - timedelta(minutes=2))
    assert (await used() or first) >= first


async def test_an_administrator_reaches_the_keys_of_its_tenant_only(keys: Keys) -> None:
    admin = frozenset[Any]({"admin"})
    acme = (await keys.create(OPERATOR, KeyRequest(name="boss", tenant="acme", rights=admin))).key
    mine = (await keys.create(OPERATOR, KeyRequest(name="ours", rights=frozenset({"read"})))).key
    boss = acme.caller()
    made = (await keys.create(boss, KeyRequest(name="app", rights=frozenset({"write"})))).key
    assert made.tenant == "acme"
    assert [one.key.name for one in (await keys.page(boss, KeysRequest())).keys] == ["boss", "app"]
    assert [one.key.name for one in (await keys.page(OPERATOR, KeysRequest())).keys] == ["boss", "ours", "app"]
    assert [one.key.name for one in (await keys.page(OPERATOR, KeysRequest(tenant="acme"))).keys] == ["boss", "app"]
    with pytest.raises(OtherTenant):
        await keys.page(boss, KeysRequest(tenant="default"))
    with pytest.raises(OtherTenant):
        await keys.create(boss, KeyRequest(name="x", tenant="default", rights=frozenset({"read"})))
    for key_id in (mine.id, "nothing"):
        with pytest.raises(UnknownKey):
            await keys.revoke(boss, key_id)
    revoked = await keys.revoke(boss, made.id)
    assert revoked.state == "revoked"
    assert (await keys.revoke(OPERATOR, made.id)).key == revoked.key, "the moment of the first revocation stays"


async def test_keys_need_the_right_admin_and_no_bound_user(keys: Keys) -> None:
    lacking = Caller(tenant="default", rights=frozenset({"read", "write"}))
    bound = Caller(tenant="default", rights=frozenset({"admin"}), user_id="u1")
    for caller, fault in ((lacking, Forbidden), (bound, TenantWide)):
        with pytest.raises(fault):
            await keys.create(caller, READ)
        with pytest.raises(fault):
            await keys.page(caller, KeysRequest())
        with pytest.raises(fault):
            await keys.revoke(caller, "abc")
    assert (await keys.page(OPERATOR, KeysRequest())).keys == []


@pytest.mark.parametrize(
    "request_",
    [
        {"rights": frozenset()},
        {"rights": frozenset({"admin"}), "user_id": "u1"},
        {"rights": frozenset({"read"}), "user_id": "u1", "trusted_proxy": True},
    ],
    ids=["no right", "a bound administrator", "a bound proxy"],
)
def test_a_key_that_contradicts_itself_cannot_be_asked_for(request_: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="key"):
        KeyRequest(name="x", **request_)


async def test_pages_follow_each_other(keys: Keys) -> None:
    names = [f"k{n}" for n in range(5)]
    for name in names:
        await keys.create(OPERATOR, KeyRequest(name=name, rights=frozenset({"read"})))
    seen: list[str] = []
    after = None
    while True:
        page = await keys.page(OPERATOR, KeysRequest(limit=2, after=after))
        seen += [one.key.name for one in page.keys]
        after = page.end
        if after is None:
            break
    assert seen == names


async def test_the_keys_of_a_tenant_that_goes_are_revoked_and_name_no_one(
    authentication: Authentication, keys: Keys
) -> None:
    made = await keys.create(
        OPERATOR, KeyRequest(name="Ada's", tenant="red", rights=frozenset({"read"}), user_id="ada")
    )
    await keys.forget_tenant("red")
    with pytest.raises(KeyRefused):
        await authentication.caller(Shown(credentials=f"Bearer {made.text}"))
    [left] = (await keys.page(OPERATOR, KeysRequest(tenant="red"))).keys
    assert (left.key.name, left.key.user_id, left.state) == ("forgotten", None, "revoked")
    assert await authentication.find_out_whether_needed(), "without a row nobody would need a key"
