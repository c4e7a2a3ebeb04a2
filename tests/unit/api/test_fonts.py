"""The font that travels with the package is the published one, with its licence."""

from __future__ import annotations

from hashlib import sha256
from importlib import resources

from api.render import fonts

PUBLISHED = "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16"
"""400Regular/NotoSansSC_400Regular.ttf of the npm package @expo-google-fonts/noto-sans-sc 0.4.3."""


def test_the_font_is_the_published_one() -> None:
    folder = resources.files(fonts)
    assert sha256((folder / fonts.FILE).read_bytes()).hexdigest() == PUBLISHED
    licence = (folder / "NotoSansSC-OFL.txt").read_text("utf-8")
    assert "SIL OPEN FONT LICENSE Version 1.1" in licence and "Reserved Font Name 'Source'" in licence


def test_it_can_be_used_twice() -> None:
    fonts.register()
    fonts.register()
