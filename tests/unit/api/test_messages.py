"""Every code of the source has its words in both languages, and no words are left over.

What the source gives is read by `message_codes`; whoever adds a code and no words fails here, with file and line.
"""

from __future__ import annotations

import ast
import dataclasses
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Any

import message_codes as source
import pytest

from api.messages import LANGUAGES, Message, Words
from audit.decision import DecisionCode
from audit.finding import FindingCode
from certs import identifier
from certs.importing import NUMBER_SHARED, SERIAL_NAMES_HOLDER
from certs.lifecycle import Change
from certs.verify.reasons import Reason
from ledger.status import Reason as StatusReason
from ledger.status import Status
from ledger.verdict import Result, Step

PASSED_ON = {
    "certs/import_rows.py: error.code": "carries what an identifier or a state raised",
    "certs/importing.py: error.code": "carries what a file raised",
    "certs/rows.py: broken.rule": "_Broken carries what a cell raised",
    "certs/rows.py: raw.fault": "given to RawRow(…, fault), whose calls are read",
    "ledger/evm/devnet.py: said['code']": "the supervisor's own EngineError, raised again by whoever started it",
    "ledger/schema.py: self._code": "given to Form(…), whose calls are read",
}
"""Expressions that pass a code on and do not choose it."""

LISTED = {
    "certs/identifier.py: code": ("_PARTS", "IdentifierError"),
}
"""Codes that stand in a list of tuples: the list's name, and what they are raised as."""

ANNOUNCED: Mapping[str, set[str]] = {
    "INTERNAL": {"id"},
}
"""Codes that no error class is called with yet; INTERNAL stands for every other exception and never will be."""

IN_MAPPINGS: Mapping[str, set[str]] = {"HEADER_REFUSED": {"unknown", "duplicate", "missing"}}
"""Parameters handed over as `**mapping`."""

NEVER_IN_A_ROW = {
    "IDENTIFIER_ISSUER_REGION",
    "IDENTIFIER_ISSUER_USCC",
    "IDENTIFIER_RANDOM_SHORT",
    "IDENTIFIER_TYPE_CODE_USCC",
}
"""Raised by `identifier.build` alone; rows are only parsed."""

DYNAMIC_REASONS: Mapping[str, tuple[str, set[str]]] = {
    "certs/verify/status.py: reason": ("STATUS_(SUSPENDED|REVOKED|CANCELLED|SUPERSEDED|TRANSFERRED)", set()),
    "certs/verify/verifier.py: error.reason": ("FORMAT_(?!OK)", {"problem"}),
}
"""Reasons chosen by a table: which, and what `FormatError` compared beside what the call says."""

ROW_KINDS = {"CellError", "HolderError", "IdentifierError", "Reject", "SourceFileError"}
OUTAGES = {"ChainUnavailable", "StoreUnavailable"}
DIFFERENCE_PARAMS = {"log", "index", "table", "column"}
DECISION_PARAMS = {"agency", "matter", "resource", "fields"}
FINDING_PARAMS = {"request", "agency", "city", "fields", "count"}
FORGERY = {
    "zh": ("伪造", "造假", "假证", "虚假", "篡改", "无效", "不真实"),
    "en": ("forge", "fake", "counterfeit", "tamper", "invalid", "fraud"),
}
UNDETERMINED = {"zh": "无法判断", "en": "cannot be determined"}
FIELD = re.compile(r"\{([a-z][a-z0-9_]*)\}")
CJK = re.compile("[\u3000-\u303f\u3400-\u9fff\uff00-\uffef]")
A_COMMAND = re.compile(r" *\.venv/bin/certledger [a-z]+ ")
"""A line of [ui] to be typed as it stands."""
UI_KEY = re.compile(r"[a-z]+\.(?!(?:csv|json|jsonl|lock|log|py|sqlite|toml|txt|yaml)$)[a-z][a-z_]*")
WORDED = ("errors", "differences", "reasons", "decisions", "findings")
PLAIN = ("rules", "notes", "steps", "results", "statuses", "status_reasons", "changes", "units", "ui", "columns")

languages = pytest.mark.parametrize("language", LANGUAGES)


def written(language: str) -> dict[str, dict[str, Any]]:
    path = source.ROOT / "api" / "messages" / f"{language}.toml"
    return tomllib.loads(path.read_text("utf-8"))


def texts(language: str) -> Iterator[tuple[str, str]]:
    """(table.key, text) of everything that can be shown."""
    for table, entries in written(language).items():
        yield from _texts(table, entries)


def _texts(prefix: str, entry: Any) -> Iterator[tuple[str, str]]:
    if isinstance(entry, str):
        yield prefix, entry
        return
    for key, value in entry.items():
        yield from _texts(f"{prefix}.{key}", value)


def given(kinds: set[str]) -> dict[str, set[str]]:
    """Codes raised as one of `kinds`, each with the parameters that every place brings."""
    found: dict[str, list[set[str]]] = defaultdict(list)
    for site in source.collected()[0]:
        if site.kind in kinds:
            found[site.code].append(IN_MAPPINGS[site.code] if site.params is None else set(site.params))
    for expression, (name, kind) in LISTED.items():
        if kind in kinds:
            for code in source.table_codes(expression.partition(":")[0], name):
                found[code].append(set())
    return {code: set.intersection(*params) for code, params in found.items()}


def errors_given() -> dict[str, set[str]]:
    shown = {site.kind for site in source.collected()[0]} - {"CellError", "Reject", "Difference", "SourceFileError"}
    return {**ANNOUNCED, **given(shown)}


def rules_given() -> dict[str, set[str]]:
    return {code: params for code, params in given(ROW_KINDS).items() if code not in NEVER_IN_A_ROW}


def identifier_notes() -> set[str]:
    """The constants of `certs.identifier` that name themselves."""
    return {name for name, value in vars(identifier).items() if name == value}


def reasons_given() -> dict[str, tuple[set[str], set[str]]]:
    """Reason → (its states, what every place that gives it compared)."""
    states: dict[str, set[str]] = {name: set() for name in Reason.__members__}
    compared: dict[str, list[set[str]]] = defaultdict(list)
    for finding in source.findings():
        pattern, more = DYNAMIC_REASONS.get(finding.reason, (f"{finding.reason}$", set()))
        for name in (name for name in states if re.match(pattern, name)):
            states[name].add(finding.state)
            compared[name].append(set(finding.compared) | more)
    return {name: (states[name], set.intersection(*compared[name]) if compared[name] else set()) for name in states}


# The collector


def test_every_code_in_the_source_is_seen() -> None:
    dynamic = set(source.collected()[1])
    assert dynamic == PASSED_ON.keys() | LISTED.keys()


def test_the_collector_finds_codes_by_every_way_the_source_gives_them() -> None:
    seen = {site.code for site in source.collected()[0]} | errors_given().keys() | rules_given().keys()
    by_class, by_function, by_method, by_form = "JWS_KID", "JSON_FLOAT", "KEYSTORE_PASSWORD", "FACTS_FORM"
    by_condition, by_init, by_list, by_replace = "CHAIN_TIMEOUT", "RPC_REFUSED", "IDENTIFIER_SERIAL", "ROW_MALFORMED"
    assert {by_class, by_function, by_method, by_form, by_condition, by_init, by_list, by_replace} <= seen
    assert {"ROW_UNKNOWN_COLUMN", "ALREADY_ISSUED_OTHERWISE", "IDENTIFIER_NOT_EMPTY"} <= rules_given().keys()


def test_parameters_that_arrive_in_mappings_are_listed() -> None:
    hidden = {site.code for site in source.collected()[0] if site.params is None}
    assert hidden == IN_MAPPINGS.keys()


def test_every_reason_is_given_somewhere() -> None:
    named = {finding.reason for finding in source.findings() if ":" in finding.reason}
    assert named == DYNAMIC_REASONS.keys()
    nowhere = {name for name, (states, _) in reasons_given().items() if not states}
    assert nowhere == {"NOT_REACHED", "NOT_ASKED"}


# Completeness


@languages
@pytest.mark.parametrize(
    ("table", "codes"),
    [
        ("errors", errors_given().keys()),
        ("rules", rules_given().keys()),
        ("differences", given({"Difference"}).keys()),
        ("reasons", set(Reason.__members__)),
        ("decisions", set(DecisionCode.__members__)),
        ("findings", set(FindingCode)),
        ("steps", set(Step.__members__)),
        ("results", set(Result)),
        ("statuses", set(Status.__members__)),
        ("status_reasons", set(StatusReason.__members__)),
        ("changes", set(Change)),
        ("notes", {*identifier_notes(), NUMBER_SHARED, SERIAL_NAMES_HOLDER}),
    ],
)
def test_a_table_holds_exactly_the_codes_of_the_source(language: str, table: str, codes: set[str]) -> None:
    have = written(language)[table].keys()
    where = {site.code: site.where for site in source.collected()[0]}
    assert {code: where.get(code) for code in codes - have} == {}, "codes without words"
    assert have - set(codes) == set(), "words without a code"


@languages
def test_tables_are_those_that_are_read(language: str) -> None:
    assert set(written(language)) == {*WORDED, *PLAIN}
    for table in WORDED:
        assert all(entry.keys() == {"text", "remedy"} for entry in written(language)[table].values())


def test_both_languages_say_the_same_things_with_the_same_parameters() -> None:
    zh, en = (dict(texts(language)) for language in ("zh", "en"))
    assert zh.keys() == en.keys()
    differing = [key for key in zh if set(FIELD.findall(zh[key])) != set(FIELD.findall(en[key]))]
    assert differing == []


def ui_asked() -> tuple[set[str], set[str]]:
    """(keys of [ui] written in api/, beginnings of those that end with a value)."""
    keys: set[str] = set()
    beginnings: set[str] = set()
    for node in (
        node for module in source.modules() if module.path.startswith("api/") for node in ast.walk(module.tree)
    ):
        first = node.values[0] if isinstance(node, ast.JoinedStr) and node.values else None
        if isinstance(first, ast.Constant) and re.fullmatch(r"[a-z]+\.", str(first.value)):
            beginnings.add(str(first.value))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and UI_KEY.fullmatch(node.value):
            keys.add(node.value)
    return keys, beginnings


@languages
def test_words_of_the_command_line_are_those_it_asks_for(language: str) -> None:
    have = {key.removeprefix("ui.") for key, _ in texts(language) if key.startswith("ui.")}
    keys, beginnings = ui_asked()
    groups = {key.partition(".")[0] for key in have}
    assert {key for key in keys if key.partition(".")[0] in groups} - have == set(), "keys without words"
    assert {key for key in have - keys if f"{key.partition('.')[0]}." not in beginnings} == set(), "words without a key"


# Parameters


@languages
def test_only_named_fields_stand_in_templates(language: str) -> None:
    braces = [key for key, text in texts(language) if re.search("[{}]", FIELD.sub("", text))]
    assert braces == []


@languages
@pytest.mark.parametrize(
    ("table", "params"),
    [
        ("errors", errors_given()),
        ("rules", rules_given()),
        ("differences", dict.fromkeys(given({"Difference"}), DIFFERENCE_PARAMS)),
        ("reasons", {name: compared for name, (_, compared) in reasons_given().items()}),
        ("decisions", dict.fromkeys(DecisionCode.__members__, DECISION_PARAMS)),
        ("findings", dict.fromkeys(FindingCode, FINDING_PARAMS)),
    ],
)
def test_templates_ask_for_nothing_that_the_source_does_not_give(
    language: str, table: str, params: Mapping[str, set[str]]
) -> None:
    asked = {
        code: {field for _, text in _texts("", entry) for field in FIELD.findall(text)}
        for code, entry in written(language)[table].items()
    }
    missing = {code: fields - params.get(code, set()) for code, fields in asked.items()}
    assert {code: fields for code, fields in missing.items() if fields} == {}


@languages
def test_every_code_comes_out_whole(language: str) -> None:
    words = Words(language)
    shown: list[str] = []
    for code, params in errors_given().items():
        shown += dataclasses.astuple(words.error(code, dict.fromkeys(params, "7")))
    for name, (_, compared) in reasons_given().items():
        shown += dataclasses.astuple(words.reason(name, dict.fromkeys(compared, "7")))
    shown += [words.rule(code, dict.fromkeys(params, "7")) for code, params in rules_given().items()]
    shown += [
        text
        for code in DecisionCode.__members__
        for text in dataclasses.astuple(words.decision(code, dict.fromkeys(DECISION_PARAMS, "7")))
    ]
    shown += [
        text
        for code in FindingCode
        for text in dataclasses.astuple(words.finding(code, dict.fromkeys(FINDING_PARAMS, "7")))
    ]
    for code in given({"Difference"}):
        shown += dataclasses.astuple(words.difference(code, dict.fromkeys(DIFFERENCE_PARAMS, "7")))
    assert len(shown) > 400
    assert [text for text in shown if re.search("[{}\n]", text) or re.fullmatch("[A-Z0-9_]+", text)] == []


# Tone


def test_chinese_is_chinese_and_english_is_not() -> None:
    told = {key: text for key, text in texts("zh") if text and not A_COMMAND.match(text)}
    assert [key for key, text in told.items() if not CJK.search(text)] == []
    assert [key for key, text in texts("en") if CJK.search(text)] == []


@languages
def test_what_cannot_be_told_is_never_called_a_forgery(language: str) -> None:
    unknown = {name for name, (states, _) in reasons_given().items() if "UNKNOWN" in states}
    assert {"STATUS_CHAIN_SILENT", "ANCHOR_NOT_YET", "STATUS_CLOCK"} <= unknown
    tables = written(language)
    entries = [tables["reasons"][name] for name in sorted(unknown)]
    assert all(UNDETERMINED[language] in entry["text"] for entry in entries)
    entries += [tables["errors"][code] for code in given(OUTAGES)]
    said = [text.lower() for entry in entries for text in entry.values()] + [tables["results"]["INDETERMINATE"].lower()]
    assert [text for text in said if any(word in text for word in FORGERY[language])] == []


@languages
def test_a_remedy_stands_everywhere_but_at_what_passes(language: str) -> None:
    passes = {name for name, (states, _) in reasons_given().items() if states == {"PASS"}}
    assert passes == {f"{step}_OK" for step in list(Step.__members__)[:8]}
    tables = written(language)
    assert {name for name, entry in tables["reasons"].items() if not entry["remedy"]} == passes
    assert [name for name, entry in tables["decisions"].items() if not entry["remedy"]] == ["ALLOW"]
    for table in ("errors", "differences", "findings"):
        assert [code for code, entry in tables[table].items() if not (entry["text"] and entry["remedy"])] == []


@languages
def test_sentences_end(language: str) -> None:
    end = {"zh": "。", "en": "."}[language]
    sentences = {key: text for key, text in texts(language) if key.endswith((".text", ".remedy")) and text}
    sentences |= {f"rules.{code}": text for code, text in written(language)["rules"].items()}
    assert [key for key, text in sentences.items() if not text.endswith(end) and not text.endswith("}")] == []


def commands() -> set[str]:
    """The command line as its source declares it: `cert issue`, `verify`, …"""
    trees = {module.path: module.tree for module in source.modules() if module.path.startswith("api/cli/")}
    found: set[str] = set()
    for node in ast.walk(trees["api/cli/main.py"]):
        if isinstance(node, ast.For) and isinstance(node.iter, ast.Tuple):
            found |= {each.id for each in node.iter.elts if isinstance(each, ast.Name)}
    for path, tree in trees.items():
        group = path.rpartition("/")[2].removesuffix(".py").replace("_", " ")
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            if ast.unparse(call.func) == "app.command" and call.args and isinstance(call.args[0], ast.Constant):
                found.add(f"{group} {call.args[0].value}")
    return found


@languages
def test_every_command_that_words_name_exists(language: str) -> None:
    known = commands()
    assert {"verify", "init", "cert issue", "devnet up"} <= known
    groups = {command.partition(" ")[0] for command in known if " " in command}
    for key, text in texts(language):
        if key.startswith("ui.") and not A_COMMAND.match(text):
            continue  # there the name of the product stands in sentences too
        for noun, verb in re.findall(r"certledger ([a-z]+)(?: ([a-z-]+))?", text):
            # `certledger cert` alone names the group; after a command English goes on with words of its own.
            assert noun in known or noun in groups, (key, noun)
            below = f"{noun} {verb}"
            found = below in known or any(command.startswith(f"{below} ") for command in known)
            assert noun not in groups or not verb or found, (key, noun, verb)


# Behaviour


@languages
def test_words_are_frozen_and_read_once(language: str) -> None:
    words = Words(language)
    assert words == Words(language)
    assert words._table("errors") is Words(language)._table("errors")
    with pytest.raises(dataclasses.FrozenInstanceError):
        words.language = "en"  # type: ignore[misc]


def test_a_language_nobody_wrote_is_answered_in_chinese() -> None:
    assert Words("fr").result("VALID") == Words("zh").result("VALID")


@languages
def test_a_code_without_words_falls_back_to_itself_and_its_sentence(language: str) -> None:
    words = Words(language)
    assert words.error("NEW_CODE", {}, "something is new") == Message("something is new (NEW_CODE)", "")
    assert words.error("NEW_CODE", {}) == Message("NEW_CODE", "")
    assert words.reason("NEW_REASON", {"a": "b"}) == Message("NEW_REASON", "")
    assert words.difference("NEW", {}) == Message("NEW", "")
    assert [words.rule("NEW_RULE", {}), words.step("NEW"), words.result("NEW")] == ["NEW_RULE", "NEW", "NEW"]
    assert [words.status("NEW"), words.status_reason("NEW"), words.say("new.key", a=1)] == ["NEW", "NEW", "new.key"]


@languages
def test_a_missing_parameter_falls_back_and_keeps_the_remedy(language: str) -> None:
    words = Words(language)
    message = words.error("HOME_MISSING", {}, "no city lives in this folder")
    assert message.text == "no city lives in this folder (HOME_MISSING)"
    assert "certledger init" in message.remedy
    assert words.rule("ROW_RAGGED", {"expected": "3"}) == "ROW_RAGGED"


@languages
def test_a_rule_raised_as_an_error_still_has_words(language: str) -> None:
    words = Words(language)
    assert words.error("DATE_IMPOSSIBLE", {}, "no such day") == Message(words.rule("DATE_IMPOSSIBLE", {}), "")


@languages
def test_values_bring_no_fields_and_no_control_characters(language: str) -> None:
    hostile = "{path.__class__} {path} %s \x1b[31m\u202e\nred"
    text = Words(language).error("HOME_MISSING", {"path": hostile}).text
    assert "{path.__class__} {path} %s  [31m  red" in text


@languages
def test_an_endless_value_is_cut(language: str) -> None:
    text = Words(language).reason("BINDING_STATEMENT_TYPE", {"type": "x" * 100_000}).text
    assert "x…" in text
    assert len(text) < 1_200


def test_times_are_beijing_times_and_spans_are_counted() -> None:
    zh, en = Words("zh"), Words("en")
    dates = {"from": "1793548800", "to": "open-ended", "now": "1793550000"}
    assert zh.reason("VALIDITY_OK", dates).text == "在有效期内（2026-11-02 00:00 至 长期）。"
    assert en.reason("VALIDITY_OK", dates).text == "Within its dates (2026-11-02 00:00 to open-ended)."
    stale = {"as_of": "2026-11-01T20:30:00+00:00", "allowed": "86400", "age": "90000"}
    assert "2026-11-02 04:30" in zh.reason("STATUS_STALE", stale).text
    assert "24 小时" in zh.reason("STATUS_STALE", stale).text
    assert "24 hours" in en.reason("STATUS_STALE", stale).text
    late = {"issued_at": "0", "anchored_at": "0", "allowed": "604800"}
    assert "7 days" in en.reason("ISSUER_LATE_ANCHOR", late).text


@pytest.mark.parametrize("moment", ["9007199254740991", "-1", "²", "", "yesterday", "9" * 400])
def test_a_time_that_is_none_is_shown_as_it_came(moment: str) -> None:
    shown = Words("zh").reason("VALIDITY_NOT_YET", {"from": moment, "to": moment, "now": moment}).text
    assert f"自 {moment}（北京时间）" in shown


def test_statuses_reasons_and_changes_are_words() -> None:
    zh, en = Words("zh"), Words("en")
    compared = {"since": "2026-11-01T00:00:00+00:00", "reason": str(int(StatusReason.PENALTY)), "block": "7"}
    assert "登记原因：吊销" in zh.reason("STATUS_REVOKED", compared).text
    assert zh.reason("STATUS_REVOKED", {**compared, "reason": "77"}).text.endswith("77。")
    refused = {"identifier": "X", "status": Status.CANCELLED.name, "change": Change.SUSPEND}
    assert zh.error("STATUS_NOT_POSSIBLE", refused).text == "证照 X 现为“已注销”，不能暂扣。"
    assert en.error("STATUS_NOT_POSSIBLE", refused).text == "Certificate X is cancelled: “suspend” is not possible now."
    unreadable = {"path": "keys", "reason": "Permission denied"}
    assert "Permission denied" in zh.error("KEYSTORE_UNREADABLE", unreadable).text


def test_keys_of_the_command_line_may_be_dotted(monkeypatch: pytest.MonkeyPatch) -> None:
    """TOML reads `a.b = "…"` as a table; quoted or not, the key is `a.b`."""
    from api import messages

    read = tomllib.loads('"x.one" = "{n} 件"\nx.two.three = "三"\n')
    assert messages._flat(read) == {"x.one": "{n} 件", "x.two.three": "三"}
    monkeypatch.setattr(messages, "_tables", lambda _: {"ui": messages._flat(read)})
    assert Words("zh").say("x.one", n=3) == "3 件"
    assert Words("zh").say("x.one") == "x.one"
