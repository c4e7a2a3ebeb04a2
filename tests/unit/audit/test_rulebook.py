"""Versions of the rules: written down whole, read back as exactly what the digest names, refused otherwise."""

from __future__ import annotations

import pytest
from audit_world import RULES

from audit import rulebook
from audit.errors import PolicyError
from audit.lists import Lists
from audit.matter import Matters
from audit.request import Rules
from audit.resource import ResourceCatalogue


def test_rules_come_back_as_they_were_adopted() -> None:
    content = rulebook.encode(RULES)
    again = rulebook.decode(content, RULES.version)
    assert again.version == RULES.version
    assert dict(again.catalogue) == dict(RULES.catalogue)
    assert {code: matter.to_json() for code, matter in again.matters.items()} == {
        code: matter.to_json() for code, matter in RULES.matters.items()
    }
    assert again.lists == RULES.lists
    assert rulebook.encode(again) == content


def test_no_rules_at_all_are_rules_too() -> None:
    empty = Rules(ResourceCatalogue(()), Matters(()), Lists())
    assert rulebook.decode(rulebook.encode(empty), empty.version).version == empty.version


@pytest.mark.parametrize(
    "content",
    [
        rulebook.encode(RULES).replace(b"enterprise_name", b"enterprise_nama"),
        rulebook.encode(RULES).replace(b'"sharing":2', b'"sharing":1'),
        rulebook.encode(RULES).replace(b'"sharing":2', b'"sharing":9'),
        rulebook.encode(RULES)[:-1],
        b"{}",
        b'{"catalogue":[{}],"lists":{"duties":[],"negative":[],"shares":[]},"matters":[]}',
        b'{"catalogue":[],"lists":{"duties":[1],"negative":[],"shares":[]},"matters":[]}',
        b'{"catalogue":[],"lists":{"duties":[],"negative":[["a"]],"shares":[]},"matters":[]}',
        b"[]",
        b"\xff",
    ],
)
def test_what_does_not_give_the_version_is_not_decided_by(content: bytes) -> None:
    assert content != rulebook.encode(RULES)
    with pytest.raises(PolicyError) as refused:
        rulebook.decode(content, RULES.version)
    assert refused.value.code == "RULES_DAMAGED"
