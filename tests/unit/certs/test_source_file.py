"""Files of an import: digests, names that try to leave the folder, and files of other certificates."""

from __future__ import annotations

import hashlib
import io
import os
from pathlib import Path

import pytest
from test_ofd import NAMESPACE, archive

from certs import ofd, source_file
from certs.errors import SourceFileError
from certs.ofd import Metadata
from certs.source_file import SourceFolder, compare, digest

NAME = "1.2.156.3005.2.11100000000013338W011.11330100XXXX33013C.1.001.0"
NUMBER = "浙建安C1（2025）0000001演"
PDF = b"%PDF-1.7\n%%EOF\n"


def ofd_of(name: str = NAME, number: str = NUMBER) -> bytes:
    datas = f'<ofd:CustomData Name="ZZBS">{name}</ofd:CustomData><ofd:CustomData Name="ZZBH">{number}</ofd:CustomData>'
    return archive(("OFD.xml", f"<ofd:OFD {NAMESPACE}><ofd:CustomDatas>{datas}</ofd:CustomDatas></ofd:OFD>"))


@pytest.fixture
def folder(tmp_path: Path) -> SourceFolder:
    inside = tmp_path / "files"
    inside.mkdir()
    (inside / "a.pdf").write_bytes(PDF)
    (inside / "a.ofd").write_bytes(ofd_of())
    (tmp_path / "outside.pdf").write_bytes(PDF)
    return SourceFolder(inside, by_identifier=False)


def refusal(folder: SourceFolder, *names: str) -> str:
    with pytest.raises(SourceFileError) as refused:
        folder.files(names, NAME, NUMBER)
    return refused.value.code


def test_both_digests_of_the_bytes() -> None:
    """SM3 of abc as GB/T 32905 annex A.1 prints it."""
    found = digest(io.BytesIO(b"abc"), source_file.PDF)
    assert found.sm3.hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert found.sha256 == hashlib.sha256(b"abc").digest()
    large = os.urandom((1 << 20) + 1)
    assert digest(io.BytesIO(large), "").sha256 == hashlib.sha256(large).digest()


def test_files_are_sorted_and_counted_once(folder: SourceFolder) -> None:
    one = folder.files(["a.pdf", "a.ofd", "a.pdf"], NAME, NUMBER)
    assert one == folder.files(["a.ofd", "a.pdf"], NAME, NUMBER)
    assert [each.media_type for each in one] == ["application/ofd", "application/pdf"]
    assert folder.files([], NAME, NUMBER) == ()


def test_a_folder_by_identifier(folder: SourceFolder) -> None:
    named = SourceFolder(folder.path, by_identifier=True)
    assert refusal(named) == "FILE_MISSING"
    (folder.path / f"{NAME}.pdf").write_bytes(PDF)
    assert [each.media_type for each in named.files([], NAME, NUMBER)] == [source_file.PDF]
    assert len(named.files(["a.ofd"], NAME, NUMBER)) == 1


@pytest.mark.parametrize("name", ["../outside.pdf", "sub/../../outside.pdf", "{outside}", "link.pdf", "up/outside.pdf"])
def test_no_name_leads_out_of_the_folder(folder: SourceFolder, name: str) -> None:
    outside = folder.path.parent / "outside.pdf"
    (folder.path / "link.pdf").symlink_to(outside)
    (folder.path / "up").symlink_to(folder.path.parent)
    assert refusal(folder, name.format(outside=outside)) == "FILE_NAME"


def test_what_is_not_there_or_no_file(folder: SourceFolder) -> None:
    (folder.path / "folder.pdf").mkdir()
    os.mkfifo(folder.path / "pipe.pdf")
    (folder.path / "loop.pdf").symlink_to("loop.pdf")
    missing = ["none.pdf", "folder.pdf", "pipe.pdf", "loop.pdf", "x" * 300 + ".pdf", "a\0.pdf"]
    assert [refusal(folder, name) for name in missing] == ["FILE_MISSING"] * len(missing)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.png", PDF, "FILE_KIND"),
        ("a", PDF, "FILE_KIND"),
        ("b.ofd", PDF, "FILE_KIND"),
        ("b.pdf", ofd_of(), "FILE_KIND"),
        ("c.pdf", b"", "FILE_EMPTY_ORIGINAL"),
        ("d.ofd", b"PK\x03\x04", "OFD_ZIP"),
    ],
)
def test_neither_ofd_nor_pdf(folder: SourceFolder, name: str, content: bytes, code: str) -> None:
    (folder.path / name).write_bytes(content)
    assert refusal(folder, name) == code


def test_a_file_that_is_too_large_is_not_read(folder: SourceFolder) -> None:
    with (folder.path / "large.pdf").open("wb") as file:
        file.write(PDF)
        file.truncate(source_file.MAX_BYTES + 1)  # a hole: nothing is written
    assert refusal(folder, "large.pdf") == "FILE_TOO_LARGE"


def test_too_many_files(folder: SourceFolder) -> None:
    assert refusal(folder, *["a.pdf"] * (source_file.MAX_FILES + 1)) == "FILES_TOO_MANY"


@pytest.mark.parametrize(
    ("name", "number", "code"),
    [
        (NAME[:-1] + "1", NUMBER, "FILE_IDENTIFIER_DIFFERS"),
        (NAME, NUMBER + "0", "FILE_NUMBER_DIFFERS"),
    ],
)
def test_an_ofd_of_another_certificate(folder: SourceFolder, name: str, number: str, code: str) -> None:
    (folder.path / "b.ofd").write_bytes(ofd_of(name, number))
    assert refusal(folder, "b.ofd") == code


def test_spelling_is_not_a_difference_and_silence_passes() -> None:
    spelled = Metadata((), (("证照标识", NAME.lower() + " "), ("ZZBH", "浙建安Ｃ1(2025) 0000001演"), ("x", "y")))
    compare(spelled, NAME, NUMBER)
    compare(Metadata((), ()), NAME, NUMBER)
    assert ofd.read(io.BytesIO(ofd_of())).identifiers == (NAME,)


def test_a_name_in_gbk_and_an_ending_in_capitals(folder: SourceFolder) -> None:
    content = b"%PDF-1.7 of a folder packed on Windows"
    (folder.path / os.fsdecode("证照一.pdf".encode("gbk"))).write_bytes(content)
    assert folder.files(["证照一.pdf"], "I", "N")[0].sha256 == hashlib.sha256(content).digest()
    with pytest.raises(SourceFileError) as refused:
        folder.files(["../证照一.pdf"], "I", "N")
    assert refused.value.code == "FILE_NAME"
    (folder.path / "WHOLE.PDF").write_bytes(content)
    assert SourceFolder(folder.path, by_identifier=True).files([], "WHOLE", "N")[0].media_type == source_file.PDF
