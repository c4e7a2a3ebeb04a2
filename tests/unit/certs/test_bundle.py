"""The bundle as a file: one form, both ways, nothing left over. What is done to a file stands in test_verify_format."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import forge
import orjson
import pytest
from forge import GENUINE
from hypothesis import given
from hypothesis import strategies as st

from certs import bundle
from certs.bundle import Bundle
from ledger.errors import CanonicalError, VerificationError
from ledger.facts import PublishedHead
from ledger.snapshot import Snapshot

natural = st.integers(0, 2**53 - 1)
hash32 = st.binary(min_size=32, max_size=32)
base64url = st.from_regex("[A-Za-z0-9_-]{1,86}", fullmatch=True)
bundles = st.builds(
    Bundle,
    presentation=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
    x=hash32,
    y=hash32,
    statement=st.dictionaries(st.sampled_from("abcdefg"), natural | st.booleans() | st.none(), max_size=7),
    salt=hash32,
    city=st.integers(1, 2**32 - 1),
    epoch=st.integers(0, 2**32 - 1),
    index=natural,
    proof=st.lists(hash32, max_size=64).map(tuple),
    head=st.builds(PublishedHead, hash32, natural, hash32, natural, natural, natural),
    snapshot=st.builds(
        Snapshot, base64url, st.lists(st.tuples(base64url, base64url), min_size=1, max_size=5).map(tuple)
    ),
)


@given(bundles)
def test_what_is_encoded_is_read_again(made: Bundle) -> None:
    file = bundle.encode(made)
    assert file.startswith(b'{"v":1,') and file.endswith(b"}") and len(file) <= bundle.MAX_BYTES
    assert bundle.decode(file) == made


def test_a_genuine_bundle_is_small_and_read_again() -> None:
    assert bundle.decode(GENUINE.file) == GENUINE.bundle
    assert len(GENUINE.file) < 16 * 1024


def test_the_media_type_names_the_form() -> None:
    assert bundle.MEDIA_TYPE == "application/vnd.certledger.bundle+json"


@given(st.binary(max_size=300))
def test_any_bytes_are_a_bundle_or_a_refusal(noise: bytes) -> None:
    for file in (noise, b'{"v":1,' + noise + b"}"):
        with pytest.raises((VerificationError, CanonicalError)):
            bundle.decode(file)


@given(
    st.recursive(
        natural | st.text(max_size=5) | st.none(), lambda v: st.lists(v) | st.dictionaries(st.text(max_size=5), v)
    )
)
def test_any_json_in_any_place_is_a_bundle_or_a_refusal(value: Any) -> None:
    whole = orjson.loads(GENUINE.file)
    for name in whole.keys() - {"v"}:
        file = orjson.dumps({**whole, name: value})
        try:
            read = bundle.decode(file)
        except (VerificationError, CanonicalError):
            continue
        assert getattr(read, name) is not None


@pytest.mark.parametrize("coordinate", ["A" * 43, "_" * 43, "A" * 42 + "B"])
def test_a_coordinate_has_one_spelling(coordinate: str) -> None:
    """43 characters carry 258 bits: four spellings a coordinate, of which one is canonical."""
    whole = orjson.loads(GENUINE.file)
    whole["key"]["x"] = coordinate
    if coordinate == "A" * 43:
        assert bundle.decode(orjson.dumps(whole)).x == bytes(32)
        return
    with pytest.raises(VerificationError) as refused:
        bundle.decode(orjson.dumps(whole))
    assert refused.value.code == "BASE64URL"


def test_the_largest_proof_fits_and_one_more_does_not() -> None:
    assert bundle.decode(bundle.encode(replace(GENUINE.bundle, proof=(bytes(32),) * 64)))
    with pytest.raises(VerificationError):
        bundle.decode(bundle.encode(replace(GENUINE.bundle, proof=(bytes(32),) * 65)))
    assert forge.GENUINE.verify().claims
