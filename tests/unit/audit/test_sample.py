"""A sample follows from seed and root alone, has no entry twice, and favours none."""

from __future__ import annotations

from collections import Counter
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.errors import AuditError
from audit.sample import MAX_SIZE, indices

ROOT = sha256(b"root").digest()


def test_a_known_sample() -> None:
    """Fixed for ever: whoever drew it must find it again."""
    assert indices("2026年第四季度", ROOT, 1000, 8) == KNOWN


KNOWN = (157, 304, 483, 665, 703, 905, 938, 977)


@given(st.text(min_size=1, max_size=60), st.integers(1, 5000), st.integers(1, 300))
def test_different_indices_of_the_log_in_order(seed: str, log_size: int, size: int) -> None:
    drawn = indices(seed, ROOT, log_size, size)
    assert drawn == indices(seed, ROOT, log_size, size)
    assert len(set(drawn)) == len(drawn) == min(size, log_size)
    assert list(drawn) == sorted(drawn) and drawn[0] >= 0 and drawn[-1] < log_size


def test_seed_root_and_size_of_the_log_all_count() -> None:
    base = indices("seed", ROOT, 10_000, 20)
    others = (
        indices("Seed", ROOT, 10_000, 20),
        indices("seed", ROOT[::-1], 10_000, 20),
        indices("seed", ROOT, 9_999, 20),
    )
    assert base not in others and len(set(others)) == len(others)


def test_no_entry_is_favoured() -> None:
    """Chi-square over 20 entries and 2,000 samples of one; 99.9 % of fair draws are below 43.8."""
    counts = Counter(indices(f"seed {number}", ROOT, 20, 1)[0] for number in range(2000))
    assert sum((counts[index] - 100) ** 2 / 100 for index in range(20)) < 43.8


@pytest.mark.parametrize(
    ("seed", "size", "code"),
    [
        ("", 1, "SAMPLE_SEED"),
        ("x" * 257, 1, "SAMPLE_SEED"),
        ("x", 0, "SAMPLE_SIZE"),
        ("x", MAX_SIZE + 1, "SAMPLE_SIZE"),
    ],
)
def test_what_cannot_be_drawn(seed: str, size: int, code: str) -> None:
    with pytest.raises(AuditError) as refused:
        indices(seed, ROOT, 10, size)
    assert refused.value.code == code
