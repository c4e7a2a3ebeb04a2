"""The type of the fixture `shown`: (what must be shown, what was printed)."""

from __future__ import annotations

from collections.abc import Callable

Shown = Callable[[str, str], None]
