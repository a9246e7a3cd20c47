"""What is left of words that were forgotten: in the files of a data folder, in rows, and in the objects that this process reaches.

A word is handed over as the number that it is made of, so that the test which looks for it does not hold it itself.
"""

import gc
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import lancedb
from sqlalchemy import Connection, inspect, text

__all__ = ["in_files", "in_index", "in_process", "in_rows", "word"]


def word(number: int) -> str:
    """A word that no other text holds; capital, so that what lower-cases it is looked for too."""
    return f"Zq{number}x"


def in_files(home: Path, numbers: Iterable[int]) -> list[str]:
    """The files under `home` that hold one of these words, in any case, as UTF-8 or UTF-16."""
    forms = [word(n).lower().encode(code) for n in numbers for code in ("utf-8", "utf-16-le", "utf-16-be")]
    files = [file for file in home.rglob("*") if file.is_file()]
    assert files, "an empty folder shows nothing"
    return [str(file.relative_to(home)) for file in files if _holds(_content(file), forms)]


def in_index(home: Path, numbers: Iterable[int]) -> list[str]:
    """What the index's files hold of these words: they are compressed, so that their bytes do not show it.

    Rows of any version that can still be opened, and notes of deletions, which would mean that a file holds deleted rows.
    """
    forms = [word(n).lower() for n in numbers]
    found = [str(file.relative_to(home)) for file in home.glob("index/*.lance/_deletions/*")]
    table = lancedb.connect(home / "index").open_table("passage")
    for version in [one["version"] for one in table.list_versions()]:
        table.checkout(version)
        terms = table.search().select(["terms"]).limit(None).to_arrow().column("terms").to_pylist()
        found += [f"version {version}" for row in terms if any(form in row for form in forms)]
    table.checkout_latest()
    data = {file.name for file in home.glob("index/*.lance/data/*")}
    assert len(data) >= bool(table.count_rows()), "the files of the rows are elsewhere"
    return found


def in_rows(connection: Connection, numbers: Iterable[int]) -> list[str]:
    """The columns of any table that hold one of these words."""
    forms = [word(n).lower() for n in numbers]
    tables = inspect(connection).get_table_names()
    assert "turn" in tables
    return [
        f"{table}.{column}"
        for table in tables
        for row in connection.execute(text(f"SELECT * FROM {table}")).mappings()  # noqa: S608 - our own tables
        for column, value in row.items()
        if any(form in str(value).lower() for form in forms)
    ]


def in_process(numbers: Iterable[int]) -> list[str]:
    """The texts and bytes that hold one of these words, by what refers to them, of all that the garbage collector reaches."""
    forms = [word(n).lower().encode(code) for n in numbers for code in ("utf-8", "utf-16-le")]
    gc.collect()
    seen = {id(form) for form in forms}
    waiting: list[Any] = gc.get_objects()
    found: list[str] = []
    while waiting:
        for one in gc.get_referents(holder := waiting.pop()):
            if id(one) in seen:
                continue
            seen.add(id(one))
            if issubclass(
                type(one), str | bytes | bytearray
            ):  # `isinstance` would ask what pretends to be another class
                raw = one.encode("utf-8", "surrogatepass") if isinstance(one, str) else bytes(one)
                if _holds(raw, forms):
                    found.append(f"{type(one).__name__} of {len(one)} in {_described(holder)}")
            elif not gc.is_tracked(one):
                waiting.append(one)  # what is tracked is in the list already
    return found


def _content(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return b""  # a server that runs removed it meanwhile


def _holds(raw: bytes, forms: list[bytes]) -> bool:
    lowered = raw.lower()
    return any(form in lowered for form in forms)


def _described(holder: object) -> str:
    around = [type(one).__name__ for one in gc.get_referrers(holder)][:6]
    keys = [key for key in holder if type(key) is str][:6] if type(holder) is dict else ""
    return f"{type(holder).__name__} {keys} of {around}"
