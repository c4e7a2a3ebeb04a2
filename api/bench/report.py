"""The figures as a page: ratios first, absolutes only beside what the machine does by itself."""

from __future__ import annotations

from api.bench.rounds import Measured
from api.bench.run import Figures

MARK = "<!-- written by `certledger bench --write`; do not edit below -->"


def rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    """(case, ours per second, peer per second, ratio)."""
    lines = []
    for measured in figures.cases.values():
        ours, *others = measured
        if not others:
            lines.append((ours.name, _rate(ours), "not installed", "–"))
        for other in others:
            lines.append((ours.name, _rate(ours), f"{_rate(other)} {other.name}", f"{ours.median / other.median:.1f}"))
    return lines


def markdown(figures: Figures) -> str:
    """The generated part of docs/performance.md."""
    size = figures.size
    lines = [
        MARK,
        "",
        f"{figures.when}, Python {figures.python}, medians of {size.rounds} interleaved rounds.",
        "",
        "| case | items/s | beside it, items/s | ratio |",
        "|---|---|---|---|",
        *(f"| {case} | {ours} | {other} | **{ratio}** |" for case, ours, other, ratio in rows(figures)),
        "",
        f"Inclusion proofs from tiles at {size.leaves:,} leaves, {size.asked:,} asked: "
        + ", ".join(f"{name.split()[0]} {value:.2f} ms" for name, value in figures.proofs.items())
        + ".",
        "",
        "This machine at the same time, one core: "
        + ", ".join(f"{name} {value:,.0f}/s" for name, value in figures.machine.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _rate(measured: Measured) -> str:
    return f"{measured.median:,.0f}"
