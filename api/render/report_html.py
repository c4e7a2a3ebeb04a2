"""A report as one HTML file: no script, nothing fetched, charts drawn inside."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined

from api.render.report import LaidOut


def render(laid_out: LaidOut, lang: str) -> str:
    loader = PackageLoader("api", "templates")
    page = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return page.get_template("report.html.j2").render(report=laid_out, lang="zh-CN" if lang == "zh" else "en")
