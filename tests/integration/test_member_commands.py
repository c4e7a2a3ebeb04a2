"""What a city's governor does about its own city, by the command line: keys, agencies, successors, accounts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from homes import MARKET, MARKET_NAME, POLICE, Home, joined

from api.cli import exits
from api.cli.main import main
from api.wiring import GOVERNOR, PUBLISHER, City, agency_signers
from ledger.verdict import Result

Run = Callable[..., Any]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """Run `certledger member …` of a city; its JSON. `expect` is the exit code."""

    def member(city: City, *words: object, expect: int = exits.DONE) -> Any:
        code = main(["member", *map(str, words), "--home", str(city.home), "--json"])
        out = capsys.readouterr().out
        assert code == expect, out
        return json.loads(out)

    return member


@pytest.fixture
def other(home: Home, tmp_path: Path, run: Run) -> Iterator[City]:
    """Another city of the consortium."""
    city = joined(home, tmp_path / "city-2", 2)
    who = ["--governor", city.address(GOVERNOR), "--hot", city.address(PUBLISHER), "--type", "business_licence"]
    made = run(home.city, "propose", "admit", "--city", 2, "--division", city.settings.division, *who)
    run(home.city, "execute", made["number"])
    yield city
    city.close()


def refused(answer: Any) -> str:
    assert answer["error"]["code"] == "DECISION_REFUSED"
    return str(answer["error"]["params"]["rule"])


def valid(home: Home, identifier: str) -> bool:
    return home.verify(identifier, online=True).verdict.result is Result.VALID


def test_an_agencys_key_is_rotated_and_old_certificates_stay(home: Home, run: Run) -> None:
    (old,) = home.issued(1)
    plan = run(home.city, "key", "rotate", "--agency", MARKET, "--dry-run")
    (before,) = agency_signers(home.reopen().keystore, MARKET)
    assert [(act["act"], act["subject"]) for act in plan["acts"]] == [("add-key", "-"), ("end-key", before.kid)]
    done = run(home.city, "key", "rotate", "--agency", MARKET)
    after, *_ = agency_signers(home.reopen().keystore, MARKET)
    assert done["done"] and done["acts"][0]["subject"] == after.kid != before.kid
    home.issued(1, start=2)
    home.publish()  # the first was recorded under the old key and is anchored in the overlap
    new = next(each for each in home.certificates() if each.identifier != old.identifier)
    assert valid(home, old.identifier) and valid(home, new.identifier)
    kids = {each: home.verify(each).verdict.findings[1].compared["kid"] for each in (old.identifier, new.identifier)}
    assert list(kids.values()) == [before.kid, after.kid]


def test_a_key_is_compromised_from_a_past_day(home: Home, run: Run) -> None:
    (one,) = home.issued(1)
    home.publish()
    (key,) = agency_signers(home.city.keystore, MARKET)
    tomorrow = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
    assert refused(run(home.city, "key", "compromise", key.kid, "--since", tomorrow, expect=1)) == "CompromiseInFuture"
    unknown = "-g" + 41 * "A"  # a thumbprint that begins like an option
    assert refused(run(home.city, "key", "compromise", unknown, "--since", "2026-01-01", expect=1)) != "USAGE"
    run(home.city, "key", "compromise", key.kid, "--since", "2026-01-01", "--dry-run")
    assert valid(home, one.identifier)
    run(home.city, "key", "compromise", key.kid, "--since", "2026-01-01")
    assert home.verify(one.identifier).verdict.findings[2].reason == "ISSUER_KEY_COMPROMISED"
    run(home.city, "key", "rotate", "--agency", MARKET, "--overlap", 0)
    run(home.city, "key", "rotate", "--agency", MARKET, "--overlap", 0)  # one that holds is ended at once
    home.reopen()
    home.issued(1, start=2)
    home.publish()
    assert sum(valid(home, each.identifier) for each in home.certificates()) == 1


def test_an_agency_moves_to_another_city(home: Home, other: City, run: Run) -> None:
    (old,) = home.issued(1)
    home.publish()
    taking = ["add", "--agency", MARKET, "--name", MARKET_NAME, "--type", "business_licence"]
    run(home.city, "agency", "end", "--agency", MARKET, "--dry-run")
    assert valid(home, old.identifier)
    run(home.city, "agency", "end", "--agency", MARKET)
    assert refused(run(home.city, "agency", "end", "--agency", MARKET, expect=1)) == "TermNothingToEnd"
    added = run(other, *taking)
    assert [act["act"] for act in added["acts"]] == ["add-agency", "accredit", "add-key"]
    assert valid(home, old.identifier)  # issued while it belonged to the first city


def test_a_successor_is_named_and_accepts(home: Home, run: Run) -> None:
    pair = ["--agency", POLICE, "--successor", MARKET]
    assert refused(run(home.city, "successor", "accept", *pair, expect=1)) == "NotNamed"
    assert run(home.city, "successor", "name", *pair, "--dry-run")["done"] is False
    assert refused(run(home.city, "successor", "accept", *pair, expect=1)) == "NotNamed"
    run(home.city, "successor", "name", *pair)
    run(home.city, "successor", "accept", *pair)
    assert refused(run(home.city, "successor", "accept", *pair, expect=1)) == "SuccessionDone"


def test_an_account_is_added_and_removed(home: Home, other: City, run: Run) -> None:
    stranger = "0x" + 40 * "7"
    roles = ["--role", "publish", "--role", "status"]
    run(home.city, "account", "add", stranger, *roles, "--dry-run")
    added = run(home.city, "account", "add", stranger, *roles)
    assert added["acts"] == [{"act": "add-account", "subject": stranger}]
    assert refused(run(other, "account", "remove", stranger, expect=1))  # of another city
    run(home.city, "account", "remove", stranger)
    assert refused(run(home.city, "account", "remove", stranger, expect=1)) == "TermNothingToEnd"
