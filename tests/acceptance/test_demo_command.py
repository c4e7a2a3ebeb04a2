"""`certledger demo`: every event, in two languages, just produced; and it fails when a line is not as it should be."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import prepared_city as homes
import pytest
from command_line import FULL, GUARD, ROOT, certledger, environment, watched
from demo_lines import EVENTS, IDENTIFIER, Line, Played, printed_commands, read
from evidence import Shown

from api.demo import world
from api.demo.scene import CONSTRUCTION

VERDICTS = {
    **dict.fromkeys(("online", "offline", "selective", "cosigned", "reinstated", "renewed", "file"), "VALID"),
    **dict.fromkeys(("stopped_offline", "back"), "VALID"),
    **dict.fromkeys(("tampered", "revoked", "suspended"), "INVALID"),
    "stopped": "INDETERMINATE",
}
FLIPS = {
    "status-ignored": {"revoked", "suspended", "stopped"},
    "name-on-chain": {"canaries"},
    "row-lost": {"issued"},
    "outage-invalid": {"stopped"},
    "nothing": set(),
}


@pytest.fixture(scope="module")
def small_samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Samples with fifty licences and the three bad rows."""
    folder = tmp_path_factory.mktemp("samples")
    homes.write(folder / homes.SAMPLE.name, homes.licences()[:51] + homes.bad_licences())
    shutil.copy(homes.IDENTITIES, folder)
    shutil.copy(homes.SAMPLE.with_name("safety_officer_certificate.csv"), folder)
    shutil.copytree(homes.SAMPLE.with_name("policy"), folder / "policy")
    return folder


@pytest.fixture(scope="module")
def english(small_samples: Path, tmp_path_factory: pytest.TempPathFactory) -> Played:
    """A second run, in English, with everything explained, into a pipe; at a tenth over the small samples."""
    folder = tmp_path_factory.mktemp("demo-english")
    env = environment() if FULL else watched(folder / "report.json", WATCH_SAMPLES=str(small_samples))
    run = folder / "demo-run"
    return Played(run, certledger("demo", "--dir", run, "--lang", "en", "--explain", env=env))


def by_event(lines: list[Line]) -> dict[str, Line]:
    assert [line.event for line in lines] == list(EVENTS)
    return {line.event: line for line in lines}


def test_the_demonstration_again(played: Played, shown: Shown) -> None:
    ran = played.ran
    assert ran.code == 0 and ran.first_line < 50 and ran.seconds < 200
    shown("the demo again, in this checkout", f"exit 0, {ran.seconds:.1f} s, first line after {ran.first_line:.1f} s")


def test_every_event_in_chinese(played: Played, shown: Shown) -> None:
    lines = by_event(read(played.ran, "zh"))
    assert not any(line.wrong for line in lines.values())
    assert {event: line.values["result"] for event, line in lines.items() if "result" in line.values} == VERDICTS
    assert all(re.search("[一-鿿]", line.text) for line in lines.values())
    assert lines["issued"].values["issued"] == "10,000" and lines["issued"].values["rejected"] == "3"
    assert lines["anchored"].values == {"size": "10,000", "transactions": "1"}
    assert lines["again"].values["already"] == "10,000"
    assert lines["imported"].values["registered"] == "1,000" and lines["imported"].values["rejected"] == "3"
    assert lines["cosigned"].values["alone"] == "INVALID" and lines["file"].values["changed"] == "INVALID"
    codes = [lines[event].values["code"] for event in ("read", "over_asked", "withdrawn")]
    assert codes == ["ALLOW", "FIELD_NOT_NEEDED", "REVOKED"]
    seen = {name: lines["history"].values[name] for name in ("lines", "allowed", "refused")}
    assert seen == {"lines": "3", "allowed": "1", "refused": "2"}
    assert re.fullmatch(r"access #\d+ entry\.sealed", lines["edited"].values["place"])
    assert (lines["edited"].values["code"], lines["edited"].values["left"]) == ("ENTRY_ALTERED", "0")
    assert lines["restored"].values["missing"] == lines["continued"].values["disowned"] == "15"
    for line in lines.values():
        shown("the demo's lines", line.text)


def test_a_stopped_chain_is_not_called_a_forgery(played: Played, english: Played) -> None:
    for ran, lang, forged in ((played.ran, "zh", "伪造"), (english.ran, "en", "forge")):
        line = by_event(read(ran, lang))["stopped"]
        assert "INVALID" not in line.text
        assert forged not in line.text or any(no in line.text for no in ("不是", "不说明", "not", "no "))


def test_english_and_everything_explained(played: Played, english: Played, shown: Shown) -> None:
    lines = by_event(read(english.ran, "en"))
    assert not any(line.wrong for line in lines.values())
    assert not any(re.search("[一-鿿]", line.text) for line in lines.values())
    short = by_event(read(played.ran, "zh"))
    assert max(len(line.ids) for line in short.values()) == 1
    assert all(len(short[event].ids) == min(len(line.ids), 1) for event, line in lines.items())
    for event, names in {
        "city": ("consortium", "MemberRegistry", "LogAnchor", "StatusRegistry"),
        "anchored": ("root", "log", "block", "transaction"),
        "issued": ("last", "rejects", "rules"),
        "imported": ("last", "rejects", "rules"),
        "continued": ("closed", "log"),
    }.items():
        assert tuple(line.split()[0] for line in lines[event].ids) == names
    ids = [sum(len(line.ids) for line in told.values()) for told in (short, lines)]
    shown("technical ids: one under a line; with --explain all", f"{ids[0]}; {ids[1]}")


def test_ids_are_dim(played: Played) -> None:
    for line in read(played.ran, "zh"):
        for shown_id in line.ids:
            assert re.search(rf"\x1b\[2m\s*{re.escape(shown_id)}", played.ran.out), shown_id


def test_everything_was_just_produced(played: Played, english: Played, shown: Shown) -> None:
    first, second = (issued(run) for run in (played, english))
    assert len(first) >= 4 and len(second) >= 4 and not first & second
    consortia = {by_event(read(run, lang))["city"].ids[0] for run, lang in ((played.ran, "zh"), (english.ran, "en"))}
    assert len(consortia) == 2
    shown("two runs share no identifier", f"{len(first)} and {len(second)} identifiers, {len(first & second)} shared")


def issued(run: Played) -> set[str]:
    """The identifiers it printed but those that its imported certificates have had before."""
    return {found for found in IDENTIFIER.findall(run.ran.said) if f".{world.agency(CONSTRUCTION).code}." not in found}


def test_nothing_is_left_running(played: Played) -> None:
    here = [p for p in Path("/proc").glob("[0-9]*/cwd") if _inside(p, played.folder)]
    assert not here


def _inside(cwd: Path, folder: Path) -> bool:
    try:
        return cwd.readlink().is_relative_to(folder)
    except OSError:
        return False


def test_the_printed_commands_work_for_every_printed_bundle(played: Played, shown: Shown) -> None:
    said = played.ran.said
    bundles, trust = played.folder / "bundles", played.folder / "trust.json"
    assert f"{bundles}/*.json" in said and str(trust) in said
    verify, up, check = printed_commands(played.ran)
    bundle = next(word for word in verify.split() if word.startswith(str(bundles)))
    codes = {path.name: run_printed(verify.replace(bundle, str(path)), expect=None) for path in bundles.glob("*.json")}
    assert codes.pop("tampered.json") == 1 and len(codes) >= 6 and set(codes.values()) == {0}
    shown("each printed bundle verifies with the printed command", f"{len(codes)} VALID; tampered.json INVALID")
    try:
        run_printed(up)
        run_printed(check)
        revoked = IDENTIFIER.search(by_event(read(played.ran, "zh"))["revoked"].ids[0])
        assert revoked is not None
        certledger("verify", bundle, "--trust", trust)
        certledger("verify", bundles / f"{revoked[0]}.json", "--trust", trust, expect=1)
    finally:
        certledger("devnet", "down", "--home", played.home)
    shown("devnet up, check as printed; the revoked one online", "exit 0, exit 0; INVALID")


def run_printed(command: str, expect: int | None = 0) -> int:
    """Run a line exactly as it was printed."""
    done = subprocess.run(
        ["sh", "-c", command], cwd=ROOT, env=environment(), capture_output=True, timeout=GUARD, check=False
    )
    assert expect is None or done.returncode == expect, (command, done.stdout.decode(), done.stderr.decode())
    return done.returncode


@pytest.mark.parametrize("flip", FLIPS if FULL else list(FLIPS)[:1])
def test_it_fails_when_one_thing_is_wrong(flip: str, small_samples: Path, tmp_path: Path, shown: Shown) -> None:
    name = homes.table(small_samples / homes.SAMPLE.name)[7][1]
    env = watched(tmp_path / "report.json", WATCH_SAMPLES=str(small_samples), WATCH_FLIP=flip, WATCH_NAME=name)
    ran = certledger("demo", "--dir", tmp_path / "demo-run", env=env, expect=1 if FLIPS[flip] else 0)
    wrong = {line.event for line in read(ran, "zh") if line.wrong}
    assert wrong == FLIPS[flip]
    shown(f"it can fail: {flip}", f"exit {ran.code}, marked ✘: {', '.join(sorted(wrong)) or 'none'}")


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    ran = certledger("demo", "--dir", tmp_path, expect=3)
    assert ran.err.startswith("DEMO_FOLDER_FOREIGN:") and "→" in ran.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
