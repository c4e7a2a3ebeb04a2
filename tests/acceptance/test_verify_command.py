"""`certledger verify`: three answers, three exit codes; offline it needs no chain, no database and no network."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from command_line import certledger, watched
from evidence import Shown
from prepared_city import MARKET, Home, Make

FORBIDDEN = ("web3", "sqlalchemy", "fastapi")
STEPS = (
    *("FORMAT", "SIGNATURE", "ISSUER", "VALIDITY", "BINDING", "INCLUSION"),
    *("ANCHOR", "STATUS", "HOLDER", "RECOGNITION", "AUTHORIZATION", "ACCESS"),
)
CODES = {"VALID": 0, "INVALID": 1, "INDETERMINATE": 2}


def one_byte_changed(bundle: Path, to: Path) -> Path:
    """The bundle with one character of a disclosed value changed, still a file of the right form."""
    text = bundle.read_text()
    at = text.index("~") + 40
    to.write_text(text[:at] + ("A" if text[at] != "A" else "B") + text[at + 1 :])
    assert to.stat().st_size == bundle.stat().st_size
    return to


def test_valid_online_and_offline(city: Home, genuine: Path, shown: Shown) -> None:
    for way in ([], ["--offline"]):
        ran = certledger("verify", genuine, "--trust", city.trust, "--json", *way)
        steps = ran.json["steps"]
        assert ran.json["result"] == "VALID"
        assert tuple(step["step"] for step in steps) == STEPS
        assert {step["state"] for step in steps[:8]} == {"PASS"} and {s["state"] for s in steps[8:]} == {"NOT_ASKED"}
        assert ran.json["claims"]["enterprise_name"].endswith("（演示）")
        shown(f"certledger verify FILE {' '.join(way)}".strip(), f"VALID, exit 0, {ran.seconds:.1f} s")


def test_the_verifier_says_how_old_a_good_status_may_be(city: Home, genuine: Path, shown: Shown) -> None:
    strict = ("verify", genuine, "--trust", city.trust, "--offline", "--json", "--max-status-age", 0)
    ran = certledger(*strict, expect=2)
    assert {s["step"]: s["reason"] for s in ran.json["steps"]}["STATUS"] == "STATUS_STALE"
    certledger(*strict[:-1], 1)
    shown("verify --offline --max-status-age 0", "INDETERMINATE, exit 2, STATUS_STALE")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_one_changed_byte_is_invalid(city: Home, genuine: Path, tmp_path: Path, lang: str, shown: Shown) -> None:
    changed = one_byte_changed(genuine, tmp_path / "changed.json")
    ran = certledger("verify", changed, "--trust", city.trust, "--offline", "--lang", lang, expect=1)
    assert "INVALID" in ran.out and ran.plain
    line = next(line for line in ran.out.splitlines() if line.startswith("✘"))
    shown(f"one byte changed ({lang})", f"INVALID, exit 1: {' '.join(line.split())}")


def test_an_invalid_certificate_shows_no_claims(city: Home, genuine: Path, tmp_path: Path) -> None:
    changed = one_byte_changed(genuine, tmp_path / "changed.json")
    ran = certledger("verify", changed, "--trust", city.trust, "--offline", "--json", expect=1)
    assert ran.json["result"] == "INVALID" and ran.json["claims"] == {}


def test_revoked_is_invalid_and_a_stopped_chain_is_indeterminate(apart: Make, shown: Shown) -> None:
    home = apart()
    home.up()
    revoked, suspended, untouched = home.identifiers(3)
    old = dict(zip((revoked, suspended, untouched), home.export(revoked, suspended, untouched), strict=True))
    for act, identifier, reason in (
        ("revoke", revoked, "STATUS_REVOKED"),
        ("suspend", suspended, "STATUS_SUSPENDED"),
    ):
        home.run("cert", act, identifier, "--agency", MARKET)
        ran = certledger("verify", old[identifier], "--trust", home.trust, "--json", expect=1)
        assert {s["step"]: s["reason"] for s in ran.json["steps"]}["STATUS"] == reason
        shown(f"{act}: the old bundle verified again", f"INVALID, exit 1, {reason}")
    home.run("cert", "reinstate", suspended, "--agency", MARKET)
    certledger("verify", old[suspended], "--trust", home.trust)
    shown("reinstate", "VALID, exit 0")
    (bad_news,) = home.export(revoked)
    certledger("verify", bad_news, "--trust", home.trust, "--offline", expect=1)
    shown("revoked, a bundle made afterwards, offline", "INVALID, exit 1")
    home.down()
    outage(home, old[untouched], shown)
    home.up()
    certledger("verify", old[untouched], "--trust", home.trust)
    shown("chain back, online", "VALID, exit 0")


def outage(home: Home, bundle: Path, shown: Shown) -> None:
    """The chain is stopped: no statement about forgery, and offline goes on."""
    for lang, forged in (("zh", "伪造"), ("en", "forge")):
        ran = certledger("verify", bundle, "--trust", home.trust, "--lang", lang, expect=2)
        assert "INDETERMINATE" in ran.out and "INVALID" not in ran.out and "✘" not in ran.out
        # Where forgery is named at all, it is named to deny it.
        assert forged not in ran.out or any(no in ran.out for no in ("不是伪造", "不说明", "not"))
        shown(f"chain stopped, verified online ({lang})", f"INDETERMINATE, exit 2, {ran.seconds:.1f} s")
    silent = certledger("verify", bundle, "--trust", home.trust, "--json", expect=2).json
    assert {s["step"]: s["state"] for s in silent["steps"]}["STATUS"] == "UNKNOWN" and silent["claims"] == {}
    certledger("verify", bundle, "--trust", home.trust, "--offline")
    shown("chain stopped, offline", "VALID, exit 0")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_called_wrongly_is_exit_three_in_words(city: Home, genuine: Path, tmp_path: Path, lang: str) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text(city.trust.read_text()[:-20])
    calls: list[list[object]] = [
        [genuine],
        [genuine, "--trust", broken],
        [tmp_path / "absent.json", "--trust", city.trust],
        [genuine, "--trust", city.trust, "--no-such-option"],
        [],
    ]
    if lang == "zh":
        calls += [
            [genuine, "--trust", tmp_path / "absent.json"],
            [genuine, "--trust", genuine],
            [tmp_path, "--trust", city.trust],
            [genuine, genuine, "--trust", city.trust],
        ]
    for arguments in calls:
        ran = certledger("verify", *arguments, "--lang", lang, expect=3)
        assert ran.plain and ran.out == "" and "→" in ran.err
        assert any("一" <= c <= "鿿" for c in ran.err) == (lang == "zh"), ran.err


def test_an_expired_trust_file_is_exit_three(city: Home, genuine: Path, tmp_path: Path) -> None:
    expired = json.loads(city.trust.read_text())
    expired["valid_until"] = "2026-01-01T00:00:00.000Z"
    path = tmp_path / "expired.json"
    path.write_text(json.dumps(expired, sort_keys=True, separators=(",", ":")))
    ran = certledger("verify", genuine, "--trust", path, "--offline", "--json", expect=3)
    assert ran.json["error"]["code"] == "TRUST_EXPIRED" and ran.json["exit"] == 3


def test_offline_opens_no_socket_and_loads_none_of_three(
    city: Home, genuine: Path, tmp_path: Path, shown: Shown
) -> None:
    seen = {}
    for way, env in (
        ("--offline", watched(tmp_path / "offline.json", WATCH_SOCKETS="refuse")),
        ("--json", watched(tmp_path / "online.json")),
    ):
        certledger("verify", genuine, "--trust", city.trust, way, env=env)
        seen[way] = json.loads((tmp_path / ("offline.json" if way == "--offline" else "online.json")).read_text())
    offline, online = seen["--offline"], seen["--json"]
    forbidden = [name for name in FORBIDDEN if name in offline["modules"]]
    shown(
        "offline: forbidden modules, sockets, programs started",
        f"{forbidden}, {offline['sockets']}, {offline['programs']} of {len(offline['modules'])} modules; "
        f"online for comparison: {[name for name in FORBIDDEN if name in online['modules']]}, "
        f"{len(online['sockets'])} socket events",
    )
    assert (forbidden, offline["sockets"], offline["programs"]) == ([], [], [])
    # The watcher sees what there is to see.
    assert "web3" in online["modules"] and "socket.connect" in online["sockets"]


def test_offline_verifies_in_an_empty_folder_without_a_home(city: Home, genuine: Path, tmp_path: Path) -> None:
    """One file, one trust file, nothing else of ours."""
    for source, name in ((genuine, "b.json"), (city.trust, "t.json")):
        (tmp_path / name).write_bytes(source.read_bytes())
    env = {"PATH": "", "HOME": str(tmp_path / "nowhere")}
    certledger("verify", tmp_path / "b.json", "--trust", tmp_path / "t.json", "--offline", env=env)
