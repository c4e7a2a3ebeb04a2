"""The holder's history on A4 in large type 适老化: for reading without glasses, and for taking along."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO
from typing import Final
from xml.sax.saxutils import escape

from reportlab.lib.colors import Color, HexColor, black
from reportlab.lib.enums import TA_CENTER, TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Flowable, HRFlowable, KeepTogether, Paragraph, SimpleDocTemplate, Spacer

from api.render import fonts
from api.render.history_sheet import Sheet, SheetLine

BODY: Final = 15
"""Points: 小三, what the guidelines for the elderly ask of print."""
_GREY, _RED = HexColor("#444444"), HexColor("#a11212")
_MARGIN = 14 * mm


def pdf(sheet: Sheet, page_words: Callable[[int], str]) -> bytes:
    """The document. `page_words`: what stands at the foot of a page of this number."""
    fonts.register()
    target = BytesIO()
    document = SimpleDocTemplate(
        target,
        pagesize=A4,
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN + 6 * mm,
        title=sheet.title,
        author="certledger",
        invariant=True,
    )

    def foot(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFont(fonts.REGULAR, 11)
        canvas.drawCentredString(A4[0] / 2, 10 * mm, page_words(canvas.getPageNumber()))

    document.build(_story(sheet), onFirstPage=foot, onLaterPages=foot)
    return target.getvalue()


def _story(sheet: Sheet) -> list[Flowable]:
    story: list[Flowable] = [_text(sheet.title, 24, centred=True), _text(sheet.made, 12, _GREY, centred=True)]
    story += [_text(line, BODY) for line in sheet.counts]
    story += [_rule()]
    for line in sheet.lines:
        story.append(KeepTogether([*_entry(line), _rule()]))
    story += [_text(line, BODY) for line in sheet.standing]
    story += [Spacer(1, 3 * mm), *(_text(note, 12, _GREY) for note in sheet.notes)]
    return story


def _entry(line: SheetLine) -> list[Flowable]:
    return [
        _text(f"{line.when}　{line.who}", BODY + 2),
        _text(line.what, BODY),
        _text(line.why, BODY),
        _text(line.outcome, BODY, _RED if line.refused else black),
        _text(f"{line.right}　{line.proof}", 11, _GREY),
    ]


def _text(text: str, size: int, colour: Color = black, *, centred: bool = False) -> Paragraph:
    """Escaped: a matter's name is text, whatever characters it has."""
    style = ParagraphStyle(
        "line",
        fontName=fonts.REGULAR,
        fontSize=size,
        leading=size * 1.45,
        textColor=colour,
        wordWrap="CJK",
        alignment=TA_CENTER if centred else TA_LEFT,
    )
    return Paragraph(escape(text), style)


def _rule() -> Flowable:
    return HRFlowable(width="100%", thickness=0.6, color=_GREY, spaceBefore=2 * mm, spaceAfter=2 * mm)
