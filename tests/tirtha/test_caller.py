"""Operations ask for the caller's right before anything is done."""

from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from cascade import CodeTask
from cascade.errors import UnknownDecision
from memory import NewTurn, Scope
from tirtha.caller import Caller, Right, local_caller
from tirtha.errors import Forbidden, OtherUser, TenantWide
from tirtha.keys.administration import KeyRequest, KeysRequest
from tirtha.operations.ask import AskRequest
from tirtha.operations.code import CodeRequest
from tirtha.operations.context import ContextRequest
from tirtha.operations.decisions import DecisionsRequest
from tirtha.operations.forget import ForgetRequest
from tirtha.operations.listing import SearchRequest, SessionsRequest, TurnRequest, TurnsRequest, UsersRequest
from tirtha.operations.moving.exporting import ExportRequest
from tirtha.operations.moving.importing import ImportRequest
from tirtha.operations.moving.lines import FileLine, Held
from tirtha.operations.recall import RecallRequest
from tirtha.operations.remember import RememberRequest
from tirtha.service import Service

TURN = NewTurn(role="user", text="My cat is called Miso.")
TASK = CodeTask(question="Write f.", entry_point="f", tests="assert f(1) == 1")


async def no_lines() -> AsyncIterator[FileLine]:
    """Lines of an empty archive."""
    nothing: tuple[FileLine, ...] = ()
    for line in nothing:
        yield line


async def exported(service: Service, caller: Caller, request: ExportRequest) -> list[Held]:
    return list(service.export(caller, request))


Call = Callable[[Service, Caller], Awaitable[object]]
OPERATIONS: dict[str, tuple[Right, Call]] = {
    "remember": ("write", lambda s, c: s.remember(c, RememberRequest(user_id="u1", turns=[TURN]))),
    "remember many": ("write", lambda s, c: s.remember.many(c, [RememberRequest(user_id="u1", turns=[TURN])])),
    "recall": ("read", lambda s, c: s.recall(c, RecallRequest(user_id="u1", question="Who?"))),
    "context": ("read", lambda s, c: s.context(c, ContextRequest(user_id="u1", question="Who?"))),
    "raw tokens": ("read", lambda s, c: s.context.raw_tokens(c, "u1")),
    "ask": ("read", lambda s, c: s.ask(c, AskRequest(user_id="u1", question="Who?"))),
    "code": ("read", lambda s, c: s.write_code(c, CodeRequest(task=TASK))),
    "forget": ("write", lambda s, c: s.forget(c, ForgetRequest(user_id="u1"))),
    "sessions": ("read", lambda s, c: s.sessions(c, SessionsRequest(user_id="u1"))),
    "users": ("read", lambda s, c: s.users(c, UsersRequest())),
    "turns": ("read", lambda s, c: s.turns(c, TurnsRequest(user_id="u1"))),
    "search": ("read", lambda s, c: s.search(c, SearchRequest(user_id="u1", query="Who?"))),
    "turn": ("read", lambda s, c: s.turn(c, TurnRequest(user_id="u1", turn_id="t1"))),
    "decision": ("read", lambda s, c: s.decision(c, "d1")),
    "decisions": ("read", lambda s, c: s.decisions(c, DecisionsRequest())),
    "stats": ("read", lambda s, c: s.stats(c)),
    "make a key": ("admin", lambda s, c: s.keys.create(c, KeyRequest(name="x", rights=frozenset({"read"})))),
    "keys": ("admin", lambda s, c: s.keys.page(c, KeysRequest())),
    "revoke a key": ("admin", lambda s, c: s.keys.revoke(c, "k1")),
    "export of a user": ("read", lambda s, c: exported(s, c, ExportRequest(user_id="u1"))),
    "export of all": ("admin", lambda s, c: exported(s, c, ExportRequest())),
    "import of a user": ("write", lambda s, c: s.import_lines(c, ImportRequest(lines=no_lines()))),
    "import of all": ("admin", lambda s, c: s.import_lines(c, ImportRequest(lines=no_lines(), whole_tenant=True))),
}
BOUND = Caller(tenant="default", rights=frozenset({"read", "write"}), user_id="u2")
KEYS = {"make a key", "keys", "revoke a key"}  # tested with the keys
NAMES_NO_USER = KEYS | {"users", "decision", "decisions", "code", "export of all", "import of a user", "import of all"}


@pytest.mark.parametrize("name", OPERATIONS)
async def test_every_operation_asks_for_its_right(service: Service, name: str) -> None:
    right, call = OPERATIONS[name]
    rights: frozenset[Right] = frozenset({"read", "write", "admin"})
    with pytest.raises(Forbidden) as caught:
        await call(service, Caller(tenant="default", rights=rights - {right}))
    assert caught.value.right == right
    counts = await service.ready(local_caller())
    assert counts
    assert counts.turns == 0


def test_a_scope_is_within_the_callers_tenant() -> None:
    assert local_caller("red").scope("u1", "a") == Scope(tenant="red", user_id="u1", agent_id="a")


@pytest.mark.parametrize("name", sorted(OPERATIONS.keys() - NAMES_NO_USER))
async def test_a_bound_caller_names_no_other_user(service: Service, name: str) -> None:
    fault = TenantWide if name == "stats" else OtherUser
    with pytest.raises(fault):
        await OPERATIONS[name][1](service, BOUND)
    counts = await service.ready(local_caller())
    assert counts
    assert counts.turns == 0


async def test_a_bound_caller_sees_its_user_only(service: Service) -> None:
    for user in ("u1", "u2"):
        await service.remember(local_caller(), RememberRequest(user_id=user, turns=[TURN]))
    assert [one.user_id for one in (await service.users(BOUND, UsersRequest())).items] == ["u2"]
    assert [one.user_id for one in (await service.users(local_caller(), UsersRequest())).items] == ["u1", "u2"]
    theirs, own = [
        (await service.ask(local_caller(), AskRequest(user_id=user, question="What is the cat called?"))).decision
        for user in ("u1", "u2")
    ]
    assert (await service.decision(BOUND, own.id)).id == own.id
    with pytest.raises(UnknownDecision) as foreign:
        await service.decision(BOUND, theirs.id)
    with pytest.raises(UnknownDecision) as none:
        await service.decision(BOUND, "none")
    assert str(foreign.value).replace(theirs.id, "") == str(none.value).replace("none", "")


def test_a_bound_caller_has_the_scopes_of_its_user() -> None:
    assert BOUND.scope("u2", "a") == Scope(tenant="default", user_id="u2", agent_id="a")
    for user in ("u1", "", "U2"):
        with pytest.raises(OtherUser):
            BOUND.scope(user)


def test_a_turn_is_named_within_its_session() -> None:
    with pytest.raises(ValueError, match="its session"):
        ForgetRequest(user_id="u1", turn_id="t1")
