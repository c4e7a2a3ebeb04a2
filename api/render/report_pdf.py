"""A report as PDF, A4, with its own Chinese font inside, so that it looks the same wherever it is printed."""

from __future__ import annotations

import io
from importlib import resources
from typing import Any
from xml.sax.saxutils import escape

from reportlab.graphics.shapes import Drawing, Rect, String
from reportlab.lib import colors
from reportlab.lib.enums import TA_LEFT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont
from reportlab.platypus import (
    Flowable,
    KeepTogether,
    PageBreak,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from api.render.report import Chart, Form, LaidOut
from api.render.report import Table as Rows

FONT = "NotoSansSC"
FONT_FILE = "NotoSansSC-Regular.ttf"
WIDTH = A4[0] - 36 * mm
_INK, _SOFT, _LINE = colors.HexColor("#1c2733"), colors.HexColor("#5b6875"), colors.HexColor("#d5dbe1")
_BAR = colors.HexColor("#2f6f9f")
_SEVERITY = {"grave": "#b3261e", "serious": "#c77700", "minor": "#5b6875", "self_reported": "#2e7d4f"}
_BASE = ParagraphStyle(
    "base", fontName=FONT, fontSize=9, leading=13.5, textColor=_INK, alignment=TA_LEFT, wordWrap="CJK"
)
_SMALL = ParagraphStyle("small", parent=_BASE, fontSize=8, leading=11)
_TITLE = ParagraphStyle("title", parent=_BASE, fontSize=20, leading=28, spaceAfter=10)
_HEADING = ParagraphStyle("heading", parent=_BASE, fontSize=12, leading=17, spaceBefore=14, spaceAfter=5)
_DIM = ParagraphStyle("dim", parent=_BASE, textColor=_SOFT)
_BAR_HEIGHT, _LABEL = 15, 150
"""Points."""


def render(laid_out: LaidOut) -> bytes:
    _register()
    out = io.BytesIO()
    edge = 18 * mm
    document = SimpleDocTemplate(
        out,
        pagesize=A4,
        title=laid_out.title,
        leftMargin=edge,
        rightMargin=edge,
        topMargin=edge,
        bottomMargin=edge,
    )
    document.build(_story(laid_out), onFirstPage=_number, onLaterPages=_number)
    return out.getvalue()


def _register() -> None:
    if FONT not in pdfmetrics.getRegisteredFontNames():
        file = resources.files("api.render") / "fonts" / FONT_FILE
        with resources.as_file(file) as path:
            pdfmetrics.registerFont(TTFont(FONT, str(path)))


def _story(laid_out: LaidOut) -> list[Flowable]:
    story: list[Flowable] = [Paragraph(escape(laid_out.title), _TITLE), _pairs(laid_out.facts)]
    for chart in laid_out.charts:
        story.append(KeepTogether([_heading(chart.title), _drawn(chart)]))
    for each in laid_out.tables:
        story += [_heading(each.title), _rows(each)]
    story += [Spacer(1, 8 * mm), Paragraph(escape(laid_out.note), _DIM)]
    for form in laid_out.forms:
        story += [PageBreak(), *_form(form)]
    return story


def _heading(text: str) -> Flowable:
    return Paragraph(escape(text), _HEADING)


def _pairs(pairs: tuple[tuple[str, str], ...]) -> Flowable:
    cells = [[Paragraph(escape(name), _DIM), Paragraph(escape(value), _BASE)] for name, value in pairs]
    style = [("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (0, -1), 0), *_TIGHT]
    return Table(cells, colWidths=[32 * mm, WIDTH - 32 * mm], style=TableStyle(style))


_TIGHT: list[Any] = [("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2)]


def _rows(each: Rows) -> Flowable:
    """Each column as wide as what stands in it needs, measured by its longest cell."""
    rows = [each.columns, *(each.rows or (("–",) * len(each.columns),))]
    longest = [min(max(len(row[at].encode()) for row in rows), 44) + 3 for at in range(len(each.columns))]
    widths = [WIDTH * length / sum(longest) for length in longest]
    cells = [[Paragraph(escape(cell), _SMALL) for cell in row] for row in rows]
    style = [("LINEBELOW", (0, 0), (-1, -1), 0.4, _LINE), ("LEFTPADDING", (0, 0), (-1, -1), 0), *_TIGHT]
    return Table(cells, colWidths=widths, repeatRows=1, style=TableStyle([*style, ("VALIGN", (0, 0), (-1, -1), "TOP")]))


def _drawn(chart: Chart) -> Flowable:
    height = _BAR_HEIGHT * (len(chart.bars) or 1)
    drawing = Drawing(WIDTH, height)
    for number, (label, value) in enumerate(chart.bars):
        y = height - _BAR_HEIGHT * (number + 1)
        length = (WIDTH - _LABEL - 50) * value / chart.top
        drawing.add(String(_LABEL - 6, y + 4, label, fontName=FONT, fontSize=7.5, textAnchor="end", fillColor=_INK))
        bar = Rect(_LABEL, y + 2, length, _BAR_HEIGHT - 5)
        bar.fillColor, bar.strokeColor = _BAR, None
        drawing.add(bar)
        drawing.add(String(_LABEL + length + 4, y + 4, str(value), fontName=FONT, fontSize=7.5, fillColor=_INK))
    if not chart.bars:
        drawing.add(String(0, 4, "–", fontName=FONT, fontSize=8, fillColor=_SOFT))
    return drawing


def _form(form: Form) -> list[Flowable]:
    mark = f'<font color="{_SEVERITY[form.severity]}">■</font> '
    reply, *signatures = form.room
    line: list[Any] = [("LINEBELOW", (0, 0), (-1, -1), 0.6, _SOFT), ("VALIGN", (0, 0), (-1, -1), "TOP")]
    room = Table([[Paragraph(escape(reply), _DIM)]], colWidths=[WIDTH], rowHeights=[38 * mm])
    room.setStyle(TableStyle([("BOX", (0, 0), (-1, -1), 0.6, _SOFT), ("VALIGN", (0, 0), (-1, -1), "TOP")]))
    signed = Table(
        [[Paragraph(escape(each), _DIM) for each in signatures]], colWidths=[WIDTH / 3] * 3, rowHeights=[18 * mm]
    )
    signed.setStyle(TableStyle(line))
    return [
        Paragraph(mark + escape(form.title), _TITLE),
        _pairs(form.lines),
        _heading(form.evidence.title),
        _rows(form.evidence),
        Spacer(1, 8 * mm),
        KeepTogether([room, Spacer(1, 4 * mm), signed]),
    ]


def _number(canvas: Any, document: Any) -> None:
    canvas.setFont(FONT, 8)
    canvas.setFillColor(_SOFT)
    canvas.drawRightString(A4[0] - 18 * mm, 10 * mm, str(document.page))
