"""On any database: no row of any table holds what was forgotten; the database's own files are wiped where that is ours to do."""

from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from memory import NewTurn, Remember
from memory.encoding.encoder import Encoder
from memory.storage.database import Database
from memory.storage.store import TurnStore
from tests.support.leftovers import in_files, in_rows, word
from tests.support.memory import database_in
from tests.support.turns import SCOPE, said
from tirtha.caller import local_caller
from tirtha.operations.ask import AskRequest
from tirtha.operations.forget import ForgetRequest
from tirtha.operations.remember import RememberRequest
from tirtha.settings import Settings
from tirtha.wiring.service import open_service


def fact(number: int) -> str:
    return f"The code of locker {number} is {word(number)}."


@pytest.mark.parametrize("kind", ["turn", "session", "user"])
async def test_no_row_holds_what_was_forgotten(database: str, tmp_path: Path, encoder: Encoder, kind: str) -> None:
    caller, home = local_caller(), tmp_path / "home"
    session, turn = ("s1" if kind != "user" else None), ("t41" if kind == "turn" else None)
    async with open_service(Settings(home=home, database_url=database), encoder=encoder) as service:  # type: ignore[arg-type]
        for user, number in (("u1", 41), ("u2", 42)):
            turns = [said(fact(number), id=f"t{number}")]
            await service.remember(caller, RememberRequest(user_id=user, session_id="s1", turns=turns))
            asked = AskRequest(user_id=user, question=f"What is the code of locker {number}?")
            assert word(number) in (await service.ask(caller, asked)).decision.answer
            assert (await service.ask(caller, asked)).cache == "hit"
        forgot = await service.forget(caller, ForgetRequest(user_id="u1", session_id=session, turn_id=turn))
        assert (forgot.turns, forgot.decisions) == (1, 2)
        asked = AskRequest(user_id="u2", question="What is the code of locker 42?")
        assert word(42) in (await service.ask(caller, asked)).decision.answer
    with database_in(home, database) as opened, opened.reading() as connection:
        assert in_rows(connection, [41]) == []
        assert {"turn.text", "decision.record"} <= set(in_rows(connection, [42]))


@pytest.mark.slow
def test_a_wipe_leaves_no_copy_in_pages_that_were_split(tmp_path: Path) -> None:
    """Rows of all sizes, written and removed in turns: `secure_delete` alone leaves copies of some."""
    with database_in(tmp_path) as opened:
        store = TurnStore(opened)
        for number in range(300):
            turn = said(f"{fact(number)} {'word ' * (number * 37 % 900)}{word(number)}", id=f"t{number}")
            receipt = store.remember(remembered(number, turn))
        for number in range(0, 300, 2):
            store.forget(receipt.scope_id, session_id=f"s{number % 7}", turn_id=f"t{number}")
        gone = range(0, 300, 2)
        assert in_files(tmp_path, gone), "nothing was there to wipe"
        assert store.wipe()
        assert in_files(tmp_path, gone) == []
        assert store.wipe(), "nothing is left to do"


def test_what_a_process_could_not_wipe_the_next_one_does(tmp_path: Path) -> None:
    with database_in(tmp_path) as opened:
        store = TurnStore(opened)
        scope = store.remember(remembered(41, said(fact(41), id="t41"))).scope_id
        with opened.reading() as connection:
            in_rows(connection, [])
            store.forget(scope, session_id="s6", turn_id="t41")
            assert not store.wipe(), "somebody reads the log"
        assert in_files(tmp_path, [41])
    with database_in(tmp_path):
        assert in_files(tmp_path, [41]) == []


def test_an_error_of_the_database_does_not_tell_texts(opened: Database) -> None:
    with pytest.raises(DBAPIError) as caught, opened.writing() as connection:
        connection.execute(text("INSERT INTO nowhere VALUES (:text)"), {"text": fact(41)})
    assert word(41) not in str(caught.value)


def remembered(number: int, turn: NewTurn) -> Remember:
    return Remember(scope=SCOPE, session_id=f"s{number % 7}", turns=[turn])
