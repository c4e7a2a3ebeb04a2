"""Reads the source as syntax and collects every code that can reach a person, with the parameters it brings.

A sink is a callable that takes a code: an error class, `Reject`, `Difference`, or a function that hands a parameter
of its own on to a sink. Calls of sinks with a constant give codes; anything else is returned as dynamic, with its
place, and the test lists those by hand.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
PACKAGES = ("ledger", "audit", "certs", "api")
ROOTS = ("LedgerError", "AuditError", "CertsError", "ApiError")
STATES = {"passed": "PASS", "failed": "FAIL", "unknown": "UNKNOWN"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Sink:
    """A callable that takes a code as its argument number `at`, and adds the parameters `fixed`."""

    kind: str
    at: int
    fixed: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Site:
    """One place that gives a code."""

    code: str
    kind: str
    """Name of the error class; Reject or Difference."""
    params: frozenset[str] | None
    """None: they arrive as `**mapping`."""
    where: str


@dataclass(frozen=True, slots=True)
class Module:
    """One file and its syntax."""

    path: str
    tree: ast.Module


@cache
def modules() -> tuple[Module, ...]:
    paths = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
    return tuple(Module(path.relative_to(ROOT).as_posix(), ast.parse(path.read_text("utf-8"))) for path in paths)


@cache
def error_classes() -> dict[str, bool]:
    """Every class below the four roots; True if its own `__init__` fixes the code."""
    classes = {node.name: node for module in modules() for node in ast.walk(module.tree) if _is_class(node)}
    known = dict.fromkeys(ROOTS, False)
    while found := [c for c in classes.values() if c.name not in known and _bases(c) & set(known)]:
        known |= {c.name: any(isinstance(n, Function) and n.name == "__init__" for n in c.body) for c in found}
    return known


def _is_class(node: ast.AST) -> bool:
    return isinstance(node, ast.ClassDef)


def _bases(node: ast.ClassDef) -> set[str]:
    return {base.id for base in node.bases if isinstance(base, ast.Name)}


@cache
def collected() -> tuple[tuple[Site, ...], tuple[str, ...]]:
    """(every place that gives a code, every expression that is not a constant as `path: expression`)."""
    sites: list[Site] = []
    dynamic: list[str] = []
    for module in modules():
        reader = _Reader(module)
        sites += reader.sites
        dynamic += reader.dynamic
    return tuple(sites), tuple(dynamic)


class _Reader:
    """The codes of one module. Functions that hand a code on are private to their module here."""

    def __init__(self, module: Module) -> None:
        self._path = module.path
        self._functions = [node for node in ast.walk(module.tree) if isinstance(node, Function)]
        self._owner = {id(n): f for f in self._functions for n in ast.walk(f)}  # inner functions come later and win
        self._calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
        self._sinks = {name: Sink(name, 0) for name, fixes in error_classes().items() if not fixes}
        self._sinks |= {"Reject": Sink("Reject", 2), "Difference": Sink("Difference", 0)}
        self._sinks |= {"RawRow": Sink("Reject", 2), "Form": Sink("VerificationError", 0, frozenset({"place"}))}
        self._find_forwarders()
        self.sites: list[Site] = []
        self.dynamic: list[str] = []
        for call in self._calls:
            self._read(call)

    def _find_forwarders(self) -> None:
        while found := dict(self._forwarders()):
            self._sinks |= found

    def _forwarders(self) -> Iterator[tuple[str, Sink]]:
        for call, sink in self._sink_calls():
            function = self._owner.get(id(call))
            code = _code(call, sink)
            if function is None or function.name in self._sinks or not isinstance(code, ast.Name):
                continue
            names = [argument.arg for argument in function.args.args if argument.arg != "self"]
            if code.id in names and self._constants(code, function) is None:
                named = frozenset(k.arg for k in call.keywords if k.arg)
                yield function.name, Sink(sink.kind, names.index(code.id), sink.fixed | named)

    def _sink_calls(self) -> Iterator[tuple[ast.Call, Sink]]:
        for call in self._calls:
            sink = self._sinks.get(_name(call.func))
            if sink is not None and _code(call, sink) is not None:
                yield call, sink

    def _read(self, call: ast.Call) -> None:
        name = _name(call.func)
        if name == "replace":
            for keyword in call.keywords:
                if keyword.arg == "fault":
                    self._give(keyword.value, Sink("Reject", 0), call, frozenset())
        if name == "__init__" and call.args and isinstance(call.args[0], ast.Constant):
            self._give(call.args[0], Sink("LedgerError", 0), call, _params(call))
        sink = self._sinks.get(name)
        code = _code(call, sink) if sink else None
        if sink is None or code is None or self._hands_on(call, code):
            return
        params = _params(call)
        self._give(code, sink, call, params if params is None else params | sink.fixed)

    def _hands_on(self, call: ast.Call, code: ast.expr) -> bool:
        function = self._owner.get(id(call))
        return function is not None and function.name in self._sinks and self._constants(code, function) is None

    def _give(self, code: ast.expr, sink: Sink, call: ast.Call, params: frozenset[str] | None) -> None:
        found = self._constants(code, self._owner.get(id(call)))
        if found is None:
            self.dynamic.append(f"{self._path}: {ast.unparse(code)}")
            return
        where = f"{self._path}:{call.lineno}"
        self.sites += [Site(each, sink.kind, params, where) for each in sorted(found)]

    def _constants(self, code: ast.expr, function: Function | None) -> set[str] | None:
        """The texts an expression can be, if that can be seen."""
        if isinstance(code, ast.Constant) and isinstance(code.value, str):
            return {code.value} - {""}
        if isinstance(code, ast.IfExp):
            first, second = self._constants(code.body, function), self._constants(code.orelse, function)
            return None if first is None or second is None else first | second
        if isinstance(code, ast.Name) and function is not None:
            given = [self._constants(value, None) for value in assigned(function, code.id)]
            return set().union(*(g or () for g in given)) if given and None not in given else None
        return None


def assigned(scope: ast.AST, name: str) -> list[ast.expr]:
    """What is assigned to a name in a scope."""
    values = []
    for node in ast.walk(scope):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if _is_annotated(node) else []
        if any(isinstance(target, ast.Name) and target.id == name for target in targets):
            values.append(node.value)
    return [value for value in values if value is not None]


def _is_annotated(node: ast.AST) -> bool:
    return isinstance(node, ast.AnnAssign)


def _name(function: ast.expr) -> str:
    return function.id if isinstance(function, ast.Name) else getattr(function, "attr", "")


def _code(call: ast.Call, sink: Sink) -> ast.expr | None:
    if len(call.args) > sink.at:
        return call.args[sink.at]
    return next((keyword.value for keyword in call.keywords if keyword.arg in ("code", "rule", "fault")), None)


def _params(call: ast.Call) -> frozenset[str] | None:
    """Names of keywords, and the keys of a dictionary written as the last argument (`Reject`)."""
    last = call.args[-1] if call.args else None
    if any(keyword.arg is None for keyword in call.keywords):
        return None
    named = {keyword.arg for keyword in call.keywords if keyword.arg}
    return frozenset(named | (_keys(last) if isinstance(last, ast.Dict) else set()))


def _keys(written: ast.Dict) -> set[str]:
    return {key.value for key in written.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}


def table_codes(path: str, name: str) -> set[str]:
    """The first members of the tuples in a list that a module calls `name`, appended ones included."""
    tree = next(module.tree for module in modules() if module.path == path)
    lists = [value.elts for value in assigned(tree, name) if isinstance(value, ast.List | ast.Tuple)]
    appended = [call.args for call in ast.walk(tree) if isinstance(call, ast.Call) and _appends_to(call, name)]
    rows = [row for rows in (*lists, *appended) for row in rows if isinstance(row, ast.Tuple)]
    return {row.elts[0].value for row in rows if isinstance(row.elts[0], ast.Constant)}


def _appends_to(call: ast.Call, name: str) -> bool:
    function = call.func
    return isinstance(function, ast.Attribute) and function.attr == "append" and _name(function.value) == name


@dataclass(frozen=True, slots=True)
class Finding:
    """One place of `certs.verify` that gives a reason: `reason` is its name, or the expression if it is dynamic."""

    reason: str
    state: str
    compared: frozenset[str]
    where: str


@cache
def findings() -> tuple[Finding, ...]:
    return tuple(
        found for module in modules() if module.path.startswith("certs/verify/") for found in _findings(module)
    )


def _findings(module: Module) -> Iterator[Finding]:
    for function in ast.walk(module.tree):
        if not isinstance(function, Function) or module.path.endswith("/finding.py"):
            continue
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and _name(call.func) in STATES:
                text = ast.unparse(call.args[0])
                reason = text.removeprefix("Reason.") if text.startswith("Reason.") else f"{module.path}: {text}"
                where = f"{module.path}:{call.lineno}"
                yield Finding(reason, STATES[_name(call.func)], _compared(call, function), where)


def _compared(call: ast.Call, function: Function) -> frozenset[str]:
    names = {keyword.arg for keyword in call.keywords if keyword.arg}
    for keyword in call.keywords:
        if keyword.arg is None and isinstance(keyword.value, ast.Name):
            for value in assigned(function, keyword.value.id):
                names |= _keys(value) if isinstance(value, ast.Dict) else set()
    return frozenset(names)
