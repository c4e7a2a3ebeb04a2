"""RFC 8785's own test data: equal byte for byte, or refused by the strict form for a reason named here."""

from __future__ import annotations

import pytest
import vectors

from ledger import canonical
from ledger.errors import CanonicalError

REFUSED = {
    "structures.json": "JSON_FLOAT",  # 56.0
    "values.json": "JSON_FLOAT",  # 333333333.33333329, 1E30 and others
    "unicode.json": "JSON_NOT_NFC",  # A followed by a combining ring
    # U+FB33, Hebrew dalet with dagesh, is a composition exclusion: NFC writes it as U+05D3 U+05BC.
    "weird.json": "JSON_NOT_NFC",
}
EQUAL = {"arrays.json", "french.json"}


@vectors.needed
def test_every_case_is_listed() -> None:
    assert {file.name for file in vectors.files("jcs/input/*")} == REFUSED.keys() | EQUAL


@vectors.needed
@pytest.mark.parametrize("name", sorted(EQUAL))
def test_the_output_is_equal_byte_for_byte(name: str) -> None:
    source, wanted = (vectors.VECTORS / "jcs" / side / name for side in ("input", "output"))
    assert canonical.dumps(canonical.loads(source.read_bytes(), max_bytes=4096)) == wanted.read_bytes()
    assert canonical.loads_canonical(wanted.read_bytes(), max_bytes=4096) is not None


@vectors.needed
@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_what_the_strict_form_forbids_is_refused_on_both_sides(name: str, code: str) -> None:
    for side in ("input", "output"):
        text = (vectors.VECTORS / "jcs" / side / name).read_bytes()
        if (side, name) == ("output", "structures.json"):
            continue  # RFC 8785 writes 56.0 as 56: the output is an integer again, see below
        with pytest.raises(CanonicalError) as refused:
            canonical.loads(text, max_bytes=4096)
        assert refused.value.code == code


@vectors.needed
def test_the_output_of_a_whole_float_is_read_as_the_integer_it_shows() -> None:
    text = (vectors.VECTORS / "jcs" / "output" / "structures.json").read_bytes()
    assert canonical.dumps(canonical.loads_canonical(text, max_bytes=4096)) == text


@vectors.needed
def test_apart_from_the_one_excluded_letter_the_weird_case_is_equal() -> None:
    """Key order beyond U+FFFF, control characters and DEL, with U+FB33 and its line taken out of both sides."""
    source, wanted = (vectors.VECTORS / "jcs" / side / "weird.json" for side in ("input", "output"))
    line = ',\n  "\\ufb33": "Hebrew Letter Dalet With Dagesh"'
    text = source.read_text("utf-8").replace(line, "")
    assert len(text) == len(source.read_text("utf-8")) - len(line)
    kept = wanted.read_text("utf-8").replace(',"\ufb33":"Hebrew Letter Dalet With Dagesh"', "")
    assert canonical.dumps(canonical.loads(text.encode(), max_bytes=4096)) == kept.encode()
