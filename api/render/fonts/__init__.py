"""The one font of what is printed: Noto Sans SC Regular, SIL Open Font License 1.1 (NotoSansSC-OFL.txt).

It travels with the package, because a counter's machine may have no Chinese font, and what a citizen is handed must
look the same everywhere.
"""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import Final

REGULAR: Final = "NotoSansSC"
FILE: Final = "NotoSansSC-Regular.ttf"


@cache
def register() -> None:
    """Make the font known to reportlab; only the characters used are put into a document."""
    from reportlab.pdfbase import pdfmetrics
    from reportlab.pdfbase.ttfonts import TTFont

    with resources.as_file(resources.files(__name__) / FILE) as path:
        pdfmetrics.registerFont(TTFont(REGULAR, str(path)))
