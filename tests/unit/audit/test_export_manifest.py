"""A manifest comes back whole, in one form; a period is found by a few looks; what was handed out is a statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit import oversight
from audit.export import Manifest, Part, decode, encode, within
from ledger import canonical
from ledger.errors import CanonicalError, VerificationError
from ledger.types import Head, LogName

ROOT = sha256(b"root").digest()
KID = "A" * 43
MANIFEST = Manifest(
    consortium=ROOT,
    city=1,
    name="杭州市",
    made_at="2026-11-24T06:00:00.000Z",
    office=KID,
    parts=(Part(LogName(1, "access"), Head(9, ROOT), 2, 7),),
    files={"ledger.sqlite": ROOT, "csv/log.csv": ROOT},
)


def test_it_comes_back_whole() -> None:
    assert decode(encode(MANIFEST)) == MANIFEST
    assert MANIFEST.digest != replace(MANIFEST, name="南京市").digest


@pytest.mark.parametrize(
    "alter",
    [
        lambda v: v.update(v=2),
        lambda v: v.update(more=1),
        lambda v: v.pop("office"),
        lambda v: v["files"].update({"../outside": ROOT.hex()}),
        lambda v: v["files"].update({"/etc/passwd": ROOT.hex()}),
        lambda v: v["files"].update({"a/b/c": ROOT.hex()}),
        lambda v: v["parts"][0].update(size=-1),
        lambda v: v["parts"][0].update(stream="Access"),
    ],
)
def test_another_form_is_refused(alter: Callable[[Any], Any]) -> None:
    value = canonical.loads(encode(MANIFEST), max_bytes=10_000)
    alter(value)
    with pytest.raises(VerificationError) as refused:
        decode(canonical.dumps(value))
    assert refused.value.code == "EXPORT_FORM"
    with pytest.raises(CanonicalError):
        decode(b" " + encode(MANIFEST))


@given(st.lists(st.integers(0, 30)), st.integers(0, 31), st.integers(0, 31))
def test_a_period_is_what_was_recorded_in_it(times: list[int], start: int, end: int) -> None:
    times = sorted(times)
    first, last = within(len(times), lambda index: f"{times[index]:02d}", f"{start:02d}", f"{end:02d}")
    assert times[first:last] == [time for time in times if start <= time < end]
    assert within(len(times), lambda index: f"{times[index]:02d}", None, None) == (0, len(times))


def test_what_was_handed_out_is_said() -> None:
    said = oversight.exported("11330100XXXX33013C", MANIFEST)
    assert said.type == "audit/exported" and said.body["manifest"] == MANIFEST.digest.hex()
    assert oversight.office("11330100XXXX33013C", KID, 3).body == {"kid": KID, "days": 3}
    with pytest.raises(VerificationError):
        oversight.office("11330100XXXX33013C", "short", 3)
