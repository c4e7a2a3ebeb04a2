"""OFD files read as if somebody had built each of them to hurt: every limit, and nothing else than a refusal."""

from __future__ import annotations

import io
import resource
import struct
import zipfile
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from certs import ofd
from certs.errors import SourceFileError

NAMESPACE = 'xmlns:ofd="http://www.ofdspec.org/2016"'
BODY = (
    "<ofd:DocBody><ofd:DocInfo><ofd:DocID>0123456789abcdef</ofd:DocID><ofd:CustomDatas>"
    '<ofd:CustomData Name="ZZBS"> 1.2.3 </ofd:CustomData><ofd:CustomData Name="证照编号">浙A</ofd:CustomData>'
    "</ofd:CustomDatas></ofd:DocInfo><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody>"
)
XML = f'<?xml version="1.0" encoding="UTF-8"?><ofd:OFD {NAMESPACE} Version="1.1" DocType="OFD">{BODY}</ofd:OFD>'
LAUGHS = (
    '<!DOCTYPE OFD [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefgh", "bcdefghi", strict=True))
    + "]><OFD>&i;</OFD>"
)


def archive(*entries: tuple[str, str | bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", method) as made:
        for name, text in entries:
            made.writestr(name, text)
    return content.getvalue()


def packed(xml: str | bytes) -> bytes:
    return archive(("OFD.xml", xml))


GENUINE = archive(("OFD.xml", XML), ("Doc_0/Document.xml", "<x/>"))


def refusal(content: bytes) -> str:
    with pytest.raises(SourceFileError) as refused:
        ofd.read(io.BytesIO(content))
    return refused.value.code


def test_what_an_ofd_says_of_itself() -> None:
    metadata = ofd.read(io.BytesIO(GENUINE))
    assert metadata.document_ids == ("0123456789abcdef",)
    assert metadata.custom == (("ZZBS", "1.2.3"), ("证照编号", "浙A"))
    assert (metadata.identifiers, metadata.numbers) == (("1.2.3",), ("浙A",))


def test_a_stored_one_a_comment_and_several_documents() -> None:
    stored = archive(("OFD.xml", XML.replace(BODY, BODY * 2)), method=zipfile.ZIP_STORED)
    assert ofd.read(io.BytesIO(stored)).identifiers == ("1.2.3", "1.2.3")
    content = io.BytesIO(GENUINE)
    with zipfile.ZipFile(content, "a") as made:
        made.comment = b"by a certificate platform"
    assert ofd.read(content).numbers == ("浙A",)


def test_an_ofd_that_says_nothing() -> None:
    assert ofd.read(io.BytesIO(packed("<OFD/>"))).custom == ()


# ---------------------------------------------------------------------- zips


@pytest.mark.parametrize("content", [b"", b"PK", b"%PDF-1.7\n", b"PK\x05\x06", b"\0" * 100_000, XML.encode()])
def test_no_zip(content: bytes) -> None:
    assert refusal(content) == "OFD_ZIP"


def test_cut_short_anywhere() -> None:
    for end in range(0, len(GENUINE), 7):
        assert refusal(GENUINE[:end]) in {"OFD_ZIP", "OFD_XML"}


@given(st.data())
def test_any_changed_bytes_are_read_or_refused(data: st.DataObject) -> None:
    content = bytearray(GENUINE)
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        ofd.read(io.BytesIO(bytes(content)))
    except SourceFileError as refused:
        assert refused.code.startswith("OFD_")


def test_a_bomb_in_ofd_xml_is_not_inflated() -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert refusal(packed(b" " * (256 << 20))) == "OFD_XML"
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown < 600 << 10  # KiB: what the test needed to build it, and nothing like it again


def test_a_bomb_beside_ofd_xml_is_refused_by_its_size() -> None:
    entries = [(f"Doc_0/{n}", b"\0" * (64 << 20)) for n in range(9)]
    assert refusal(archive(("OFD.xml", XML), *entries)) == "OFD_EXPANDED"


def test_a_size_that_lies_does_not_help() -> None:
    """The directory says ten bytes, the entry holds megabytes."""
    big = packed(b" " * (4 << 20))
    at = big.rfind(b"PK\x01\x02")
    lying = big[: at + 24] + struct.pack("<L", 10) + big[at + 28 :]
    assert refusal(lying) in {"OFD_ZIP", "OFD_XML"}


def test_too_many_entries() -> None:
    many = [(f"Doc_0/{n}", "") for n in range(ofd.MAX_ENTRIES)]
    assert refusal(archive(("OFD.xml", XML), *many)) == "OFD_ENTRIES"


def test_too_many_entries_behind_a_small_count() -> None:
    """The end record says one entry; the directory is bounded by its bytes as well."""
    many = bytearray(archive(("OFD.xml", XML), *((f"Doc_0/{n}", "") for n in range(ofd.MAX_ENTRIES))))
    at = many.rfind(b"PK\x05\x06")
    many[at + 8 : at + 12] = struct.pack("<HH", 1, 1)
    assert refusal(bytes(many)) == "OFD_ENTRIES"


def test_a_directory_that_is_too_long() -> None:
    long = [(f"{n:04}" + "x" * 60_000, "") for n in range(20)]
    assert refusal(archive(("OFD.xml", XML), *long)) == "OFD_ENTRIES"


@pytest.mark.parametrize("comment", [0, 10, 0xFFFF])
def test_a_zip64_directory_is_not_believed(comment: int) -> None:
    """The end record counts two entries; the zip64 record before it, which Python prefers, may count any number."""
    at = GENUINE.rfind(b"PK\x05\x06")
    count, size, offset = struct.unpack("<HLL", GENUINE[at + 10 : at + 20])
    record = struct.pack("<4sQHHLLQQQQ", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, at, 1)
    end = GENUINE[at:-2] + struct.pack("<H", comment) + b"x" * comment
    content = GENUINE[:at] + record + locator + end
    assert zipfile.ZipFile(io.BytesIO(content)).namelist()[0] == "OFD.xml"
    assert refusal(content) == "OFD_ZIP"


def test_split_archives() -> None:
    at = GENUINE.rfind(b"PK\x05\x06")
    assert refusal(GENUINE[: at + 4] + b"\1\0\1\0" + GENUINE[at + 8 :]) == "OFD_ZIP"


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_methods_than_deflate(method: int) -> None:
    assert refusal(archive(("OFD.xml", XML), method=method)) == "OFD_ZIP"


def test_encrypted() -> None:
    at = GENUINE.rfind(b"PK\x01\x02")
    assert refusal(GENUINE[: at + 8] + b"\1\0" + GENUINE[at + 10 :]) == "OFD_ZIP"


@pytest.mark.parametrize(
    "name",
    ["../OFD.xml", "/etc/x", "Doc_0/../../x", "C:x", "a\\b", "./a", "a//b", "a\nb", "\u202egpj.xml", ".."],
)
def test_names_that_lead_elsewhere(name: str) -> None:
    assert refusal(archive(("OFD.xml", XML), (name, "x"))) == "OFD_ENTRY_NAME"


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("names", [("OFD.xml", "OFD.xml"), ("OFD.xml", "ofd.XML"), ("OFD.xml", "a", "A")])
def test_names_that_stand_there_twice(names: Sequence[str]) -> None:
    assert refusal(archive(*((name, XML) for name in names))) == "OFD_ENTRY_NAME"


def test_a_link_among_the_entries() -> None:
    link = zipfile.ZipInfo("Doc_0/link.xml")
    link.create_system, link.external_attr = 3, 0o120777 << 16
    content = io.BytesIO(archive(("OFD.xml", f"<ofd:OFD {NAMESPACE}/>")))
    with zipfile.ZipFile(content, "a") as made:
        made.writestr(link, "/etc/passwd")
    with pytest.raises(SourceFileError) as refused:
        ofd.read(content)
    assert refused.value.code == "OFD_ENTRY_NAME"


def test_a_name_with_a_zero_byte() -> None:
    assert refusal(GENUINE.replace(b"Doc_0/Document.xml", b"Doc_0/Docu\0ent.xml")) in {"OFD_ENTRY_NAME", "OFD_ZIP"}


def test_a_nested_archive_is_left_alone() -> None:
    nested = archive(("OFD.xml", XML), ("Attachs/inner.ofd", packed(LAUGHS)), ("a.zip", archive(("../x", "x"))))
    assert ofd.read(io.BytesIO(nested)).identifiers == ("1.2.3",)


# ----------------------------------------------------------------------- XML


@pytest.mark.parametrize(
    "xml",
    [
        LAUGHS,
        f'<!DOCTYPE OFD [<!ENTITY a "{"x" * 10_000}">]><OFD>{"&a;" * 10_000}</OFD>',
        '<!DOCTYPE OFD [<!ENTITY a SYSTEM "file:///etc/passwd">]><OFD>&a;</OFD>',
        '<!DOCTYPE OFD SYSTEM "http://127.0.0.1/x.dtd"><OFD/>',
        '<!DOCTYPE OFD [<!ENTITY % p SYSTEM "http://127.0.0.1/p"> %p;]><OFD/>',
        "<!DOCTYPE OFD><OFD/>",
    ],
)
def test_no_dtd_no_entities_nothing_from_outside(xml: str) -> None:
    assert refusal(packed(xml)) == "OFD_DTD"


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<OFD>",
        "<OFD></ofd>",
        "<OFD>&a;</OFD>",
        "<OFD/><OFD/>",
        "<Document/>",
        '<?xml version="1.0" encoding="x-none"?><OFD/>',
        '<?xml version="1.0" encoding="GBK"?><OFD/>',
        "<OFD>" + "<a>" * 40 + "</a>" * 40 + "</OFD>",
        "<OFD>" + "<a/>" * ofd.MAX_ELEMENTS + "</OFD>",
        f"<OFD>{'x' * (ofd.MAX_TEXT + 1)}</OFD>",
        b"\xff\xfe<",
        b"<OFD>\0</OFD>",
    ],
)
def test_no_ofd_xml(xml: str | bytes) -> None:
    assert refusal(packed(xml)) == "OFD_XML"


def test_no_ofd_xml_at_all() -> None:
    assert refusal(archive(("Doc_0/OFD.xml", XML))) == "OFD_XML"


def test_utf_16_and_other_prefixes_are_read() -> None:
    other = XML.replace("ofd:", "o:").replace("xmlns:ofd", "xmlns:o").replace("UTF-8", "UTF-16")
    assert ofd.read(io.BytesIO(packed(other.encode("utf-16")))).identifiers == ("1.2.3",)


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        ofd.read(io.BytesIO(packed(text.encode("utf-8", "surrogatepass"))))
    except SourceFileError as refused:
        assert refused.code in {"OFD_XML", "OFD_DTD"}
