"""The figures as a page: ratios first, absolutes only beside what the machine does by itself."""

from __future__ import annotations

from api.bench.rounds import Measured
from api.bench.run import Figures
from api.bench.tree import Tree

MARK = "<!-- written by `certledger bench --write`; do not edit below -->"


def rows(figures: Figures) -> list[tuple[str, str, str, str]]:
    """(case, ours per second, peer per second, ratio)."""
    lines = []
    for measured in figures.cases.values():
        ours, *others = measured
        if not others:
            lines.append((ours.name, _rate(ours), "–", "–"))
        for other in others:
            lines.append((ours.name, _rate(ours), f"{_rate(other)} {other.name}", f"{ours.median / other.median:.1f}"))
    return lines


def tree_rows(tree: Tree) -> list[tuple[str, str]]:
    """(figure, value) of a tree in the store."""
    return [
        ("leaves", f"{tree.leaves:,}"),
        ("append", f"{tree.appended:,.0f}/s"),
        ("proof p50", f"{tree.p50_ms:.2f} ms"),
        ("proof p99", f"{tree.p99_ms:.2f} ms"),
    ]


def markdown(figures: Figures) -> str:
    """The generated part of docs/performance.md."""
    size, tree = figures.size, figures.proofs
    lines = [
        MARK,
        "",
        f"{figures.when}, Python {figures.python}, medians of {size.rounds} interleaved rounds.",
        "",
        "| case | items/s | beside it, items/s | ratio |",
        "|---|---|---|---|",
        *(f"| {case} | {ours} | {other} | **{ratio}** |" for case, ours, other, ratio in rows(figures)),
        "",
        f"Not installed here: {', '.join(figures.absent) or 'none of them'}.",
        "",
        f"Tiles in SQLite: {tree.leaves:,} leaves appended at {tree.appended:,.0f}/s; {tree.asked:,} inclusion proofs "
        f"at random places, each read in a transaction of its own: p50 {tree.p50_ms:.2f} ms, p99 {tree.p99_ms:.2f} ms."
        + _peer_proofs(figures),
        "",
        "One decision of a caller who is alone, judged, counted and recorded durably: "
        + ", ".join(f"{name.split()[0]} {value:.2f} ms" for name, value in figures.decision.items())
        + ".",
        "",
        "This machine at the same time, one core: "
        + ", ".join(f"{name} {value:,.0f}/s" for name, value in figures.machine.items())
        + ".",
        "",
    ]
    return "\n".join(lines)


def _peer_proofs(figures: Figures) -> str:
    if not figures.peer_proofs:
        return ""
    told = ", ".join(f"{name.split()[0]} {value:.3f} ms" for name, value in figures.peer_proofs.items())
    return f" Go's tlog on a plain file of every hash: {told}."


def _rate(measured: Measured) -> str:
    return f"{measured.median:,.0f}"
