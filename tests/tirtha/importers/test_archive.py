"""Archives: read member by member, and refused where they could do harm."""

import struct
from io import BytesIO
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import pytest

from tests.tirtha.importers.reading import EXPORTS, LIMITS, read, source, zipped
from tirtha.importers import ArchiveLimits, ArchiveRefused, documents_of

CHATS = (EXPORTS / "chatgpt.json").read_bytes()
CLAUDE = (EXPORTS / "claude.json").read_bytes()


def in_zip(members: dict[str, bytes]) -> bytes:
    file = BytesIO()
    with ZipFile(file, "w", ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return file.getvalue()


def test_a_zip_of_chatgpt_is_read_whole_or_split(tmp_path: Path) -> None:
    alone = read(EXPORTS / "chatgpt.json")
    others = {
        "chat.html": b"<html>",
        "user.json": b'{"id": "u"}',
        "file-1.dat": b"\x00",
        "__MACOSX/._conversations.json": b"\x00",
    }
    whole = read(zipped(tmp_path / "a.zip", others | {"export/conversations.json": CHATS}))
    assert whole["conversations"] == alone["conversations"]
    split = read(
        zipped(tmp_path / "b.zip", {"conversations-000.json": b"[]", "conversations-001.json": CHATS} | others)
    )
    assert split["conversations"] == alone["conversations"]
    assert split["skipped"][0].startswith("conversations-001.json, record 3, message x: ")


def test_a_member_that_is_broken_is_named_and_the_others_are_read(tmp_path: Path) -> None:
    got = read(zipped(tmp_path / "a.zip", {"conversations-000.json": CHATS, "conversations-001.json": b"\xff\xfe"}))
    assert got["conversations"] == read(EXPORTS / "chatgpt.json")["conversations"]
    assert got["skipped"][0].startswith("conversations-001.json: is UTF-16")


def test_the_zips_of_claude_may_lie_in_one(tmp_path: Path) -> None:
    parts = {
        "conversations-000.zip": in_zip({"conversations.json": CLAUDE}),
        "conversations-001.zip": in_zip({"users.json": b"[]"}),
    }
    file = zipped(tmp_path / "a.zip", parts)
    assert read(file)["conversations"] == read(EXPORTS / "claude.json")["conversations"]
    assert sorted(tmp_path.iterdir()) == [file]


def test_a_zip_in_a_zip_in_a_zip_is_refused(tmp_path: Path) -> None:
    nested = in_zip({"b.zip": in_zip({"conversations.json": CLAUDE})})
    with pytest.raises(ArchiveRefused, match="archive in an archive in an archive"):
        read(zipped(tmp_path / "a.zip", {"a.zip": nested}))


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("/etc/conversations.json", "absolute path"),
        ("\\share\\conversations.json", "absolute path"),
        ("C:\\conversations.json", "absolute path"),
        ("a/../../conversations.json", "leads out"),
        ("a\\..\\conversations.json", "leads out"),
        ("harmless.json\x00.exe", "NUL"),
    ],
)
def test_names_that_lead_out_are_refused(tmp_path: Path, name: str, why: str) -> None:
    place = "N" * len(name)  # writing an archive would mend the name
    content = in_zip({"conversations.json": CHATS, place: b"x"}).replace(place.encode(), name.encode())
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused, match=why):
        read(tmp_path / "a.zip")


def test_links_are_refused(tmp_path: Path) -> None:
    link = ZipInfo("conversations.json")
    link.external_attr = 0o120777 << 16
    with ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(ArchiveRefused, match="is a link"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("second", ["conversations.json", "CONVERSATIONS.json"])
def test_a_name_that_stands_twice_is_refused(tmp_path: Path, second: str) -> None:
    content = in_zip({"conversations.json": CHATS, "conversations.jsom": CHATS})
    (tmp_path / "a.zip").write_bytes(content.replace(b"conversations.jsom", second.encode()))
    with pytest.raises(ArchiveRefused, match="stands in it twice"):
        read(tmp_path / "a.zip")


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    content = bytearray(in_zip({"conversations.json": CHATS}))
    entry = content.rfind(b"PK\x01\x02")
    content[entry + 8] |= 1
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused, match="encrypted"):
        read(tmp_path / "a.zip")


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    bomb = b'["' + b"0" * 64 * 1_048_576 + b'"]'
    with pytest.raises(ArchiveRefused, match="a bomb"):
        read(zipped(tmp_path / "a.zip", {"conversations.json": bomb}))
    with pytest.raises(ArchiveRefused, match="a bomb"):
        read(zipped(tmp_path / "b.zip", {"conversations.zip": in_zip({"conversations.json": bomb})}))


def test_all_members_together_have_a_limit(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {f"conversations-{n:03}.json": CHATS for n in range(4)})
    limit = 3 * len(CHATS)
    with pytest.raises(ArchiveRefused, match=f"more than {limit:,} bytes"):
        read(file, limits=ArchiveLimits(unpacked_bytes=limit))
    assert len(read(file, limits=ArchiveLimits(unpacked_bytes=4 * len(CHATS)))["conversations"]) == 16


def test_members_have_a_limit_of_number(tmp_path: Path) -> None:
    file = zipped(tmp_path / "a.zip", {f"{n}.txt": b"" for n in range(6)})
    with pytest.raises(ArchiveRefused, match="more than 5 members"):
        read(file, limits=ArchiveLimits(unpacked_bytes=1_000, members=5))


def test_archives_in_an_archive_have_a_limit(tmp_path: Path) -> None:
    inner = in_zip({"conversations.json": CLAUDE})
    file = zipped(tmp_path / "a.zip", {f"conversations-{n}.zip": inner for n in range(3)})
    with pytest.raises(ArchiveRefused, match="more than 2 archives"):
        read(file, limits=ArchiveLimits(unpacked_bytes=1_000_000, archives=2))


def test_a_list_of_members_that_says_to_be_huge_is_not_read(tmp_path: Path) -> None:
    content = bytearray(in_zip({"conversations.json": CHATS}))
    content[-10:-6] = struct.pack("<L", 2**31)
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused, match="too long a list"):
        read(tmp_path / "a.zip")


@pytest.mark.parametrize("damage", ["cut", "checksum", "in_front", "method"])
def test_a_damaged_archive_is_refused(tmp_path: Path, damage: str) -> None:
    content = bytearray(in_zip({"conversations.json": CHATS}))
    match damage:
        case "cut":
            content[40:400] = b""
        case "checksum":
            content[14] ^= 0xFF
            entry = content.rfind(b"PK\x01\x02")
            content[entry + 16] ^= 0xFF
        case "in_front":
            content[:0] = b"#!/bin/sh\n"
        case "method":
            entry = content.rfind(b"PK\x01\x02")
            content[8] = content[entry + 10] = 99
    (tmp_path / "a.zip").write_bytes(content)
    with pytest.raises(ArchiveRefused):
        read(tmp_path / "a.zip")


def test_members_are_read_without_unpacking_them(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "a.zip", "w", ZIP_STORED) as archive:
        archive.writestr("conversations.json", CHATS)
    with documents_of(source(tmp_path / "a.zip"), LIMITS) as documents:
        assert next(iter(documents[0].records())) == next(iter(documents[0].records()))
        assert [one.name for one in tmp_path.iterdir()] == ["a.zip"]
