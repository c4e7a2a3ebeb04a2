"""A city with a past of forty days, on a chain whose clock is set: what time alone brings, expiry, theft, reports.

Whoever acts here is an insider: with the keystore and the database, past the city's own checks, under any clock. The
parts are the product's. What a verifier says of it is asked of the command, today.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from prepared_city import LICENCE, SAMPLE

from api import members, rulebook
from api import settings as settings_file
from api.initialise import initialise
from api.members import Member, Step
from api.reading import bundle_of
from api.wiring import INDEX_KEY, SUBJECT_KEY, City, agency_key
from attacks import engine
from audit.resource import ResourceCatalogue
from audit.rulebook import Origin
from certs import store
from certs.bundle import encode
from certs.certificate_type import load_catalogue
from certs.changing import ChangeStatus
from certs.issuing import Issuing
from certs.lifecycle import KINDS, Change
from certs.minting import Mint
from certs.row_file import open_rows
from certs.rows import Issuer, Reject, RowReader
from ledger.evm.contracts.codec import codec
from ledger.jws import unb64url
from ledger.logid import ascii32

MARKET, POLICE, CONSTRUCTION = "11330100XXXX33013C", "11330100XXXX330217", "11330100XXXX33064L"
HEALTH, AUDIT, DATA = "11330100XXXX33056R", "11330100XXXX33080A", "11330100XXXX33072F"
ACCREDITED = (MARKET, POLICE, CONSTRUCTION, HEALTH, AUDIT)
TYPE = load_catalogue().find(LICENCE)
OLDEST = -40
PUBLISH_SECONDS = 60.0


class Past:
    """The city, its chain, and the insider's hands. Times are days from today, negative: ago."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self.home = url, folder / "city"
        self.today = datetime.now(UTC).replace(microsecond=0)
        self.go(OLDEST)
        self.city = initialise(self.home, city=1, division=330100, name="杭州市", start_chain=self._attach)
        self.city.clock = lambda: self.moment
        self._rows = 0
        self._named = [Member(code, f"{code}（演示）", (LICENCE,)) for code in ACCREDITED]
        members.add(self.city, *self._named, Member(DATA, "杭州市数据资源管理局（演示）", ()))

    def _attach(self, city: City) -> None:
        """The city uses this chain, in its settings too."""
        city.settings = city.settings.model_copy(update={"rpc_url": self.url})
        settings_file.write(city.home, city.settings)

    def when(self, day: float) -> datetime:
        return self.today + timedelta(days=day)

    def go(self, day: float) -> None:
        """The city's clock and the chain's go to that day. Never back."""
        self.moment = self.when(day)
        engine.pass_to(self.url, int(self.moment.timestamp()))

    def record(self, agency: str, *, signed: float, at: float, by: str = "") -> str:
        """A licence dated `signed`, entered in the log under the date `at`; its identifier. `by`: whose key signs."""
        signer = self.city.keystore.signer(agency_key(by or agency))
        index_key, subject_key = (self.city.keystore.mac_key(name) for name in (INDEX_KEY, SUBJECT_KEY))
        mint = Mint(TYPE, agency, signer, index_key, subject_key, self.city.settings.status_uri)
        city = self.city
        issuing = Issuing(
            city.database, city.sequencer, city.log, mint, city.content_keys, clock=lambda: self.when(signed)
        )
        self._rows += 1
        with open_rows(SAMPLE, TYPE) as rows:
            reader = RowReader(TYPE, rows.columns, Issuer(agency, f"{agency}（演示）", "330100"), self.today.date())
            raw = next(each for number, each in enumerate(rows, 1) if number == self._rows)
        row = reader.read(raw)
        assert not isinstance(row, Reject)
        self.moment = self.when(at)
        (result,) = issuing.run([row])
        return result.identifier

    def anchor(self, day: float) -> None:
        """Everything recorded so far gets its head, in a block of that day."""
        engine.pass_to(self.url, int(self.when(day).timestamp()))
        self.city.publisher.catch_up(PUBLISH_SECONDS)

    def govern(self, function: str, *arguments: object) -> None:
        """An act of the city's governor."""
        data = codec("MemberRegistry").encode(function, *arguments)
        members.carry_out(self.city, function, [Step(function, "", data)])

    def kid(self, agency: str) -> bytes:
        return unb64url(self.city.keystore.signer(agency_key(agency)).kid)

    def claim(self, agency: str) -> None:
        """The city's own rules say that the agency issues licences and reads them, whatever the registry says."""
        present = rulebook.current(self.city)
        with self.city.database.reading() as connection:
            (row,) = [each for each in store.agencies(connection) if each.code == agency]
        claimed = rulebook.resource_for(TYPE, rulebook.own_code(TYPE.code, agency), row)
        rules = replace(present, catalogue=ResourceCatalogue((*present.catalogue.values(), claimed)))
        rulebook.adopt(self.city, rules, agency=agency, origin=Origin.IMPORTED, over=present.version)

    def revoke(self, identifier: str) -> None:
        change = ChangeStatus(identifier, MARKET, Change.REVOKE, KINDS[Change.REVOKE].reasons[0])
        self.city.sequencer.append(self.city.log, change)
        self.city.publisher.catch_up(PUBLISH_SECONDS)

    def bundle(self, identifier: str) -> bytes:
        """With a snapshot of the chain's present."""
        return encode(bundle_of(self.city, identifier))


@contextmanager
def lived(folder: Path) -> Iterator[Story]:
    """The forty days: who signed, recorded and anchored what, and when; what was reported and ended."""
    genesis = int((datetime.now(UTC) + timedelta(days=OLDEST - 1)).timestamp())
    with engine.running(genesis) as url:
        past = Past(url, folder)
        with past.city:
            yield Story(past)


class Story:
    """What happened, day by day; `kept` are the certificates by name."""

    def __init__(self, past: Past) -> None:
        self.past, self.kept = past, dict[str, str]()
        self._honest_days()
        self._rotation_and_end()
        self._wrong_dates()
        self._heirs_and_reports()
        self._revocation()
        past.go(0)

    def bundle(self, name: str) -> bytes:
        return self.past.bundle(self.kept[name])

    def _honest_days(self) -> None:
        past, kept = self.past, self.kept
        kept["honest"] = past.record(MARKET, signed=-38, at=-38)
        kept["before the theft"] = past.record(CONSTRUCTION, signed=-38, at=-38)
        past.anchor(-38)
        # Only later will be known that this key was stolen then.
        kept["by a stolen key"] = past.record(CONSTRUCTION, signed=-30, at=-30)
        past.anchor(-30)

    def _rotation_and_end(self) -> None:
        past, kept = self.past, self.kept
        kept["before the end"] = past.record(HEALTH, signed=-22, at=-22)
        past.anchor(-22)
        kept["accreditation ended before the anchor"] = past.record(HEALTH, signed=-21, at=-21)
        past.go(-20)
        past.govern("endKey", past.kid(POLICE), 0)
        past.govern("endAccreditation", ascii32(HEALTH), ascii32(TYPE.code), 0)
        # Whoever kept the old key signs today with the date of the day before it was ended.
        kept["rotated key, old date"] = past.record(POLICE, signed=-20.5, at=-19)
        kept["rotated key, its own date"] = past.record(POLICE, signed=-19, at=-19)
        past.anchor(-19)

    def _wrong_dates(self) -> None:
        past, kept = self.past, self.kept
        kept["dated back beyond the lag"] = past.record(MARKET, signed=-17.001, at=-10)
        kept["dated back within the lag"] = past.record(MARKET, signed=-16.999, at=-10)
        kept["recorded before it was signed"] = past.record(MARKET, signed=-9, at=-10)
        kept["anchored before it was recorded"] = past.record(MARKET, signed=-10, at=-8)
        past.anchor(-10)

    def _heirs_and_reports(self) -> None:
        past, kept = self.past, self.kept
        past.go(-7)
        past.govern("nameSuccessor", ascii32(AUDIT), ascii32(DATA))
        past.govern("acceptSuccession", ascii32(AUDIT), ascii32(DATA))
        past.claim(DATA)
        kept["by a successor"] = past.record(DATA, signed=-7, at=-7)
        kept["by a successor, for the one before"] = past.record(AUDIT, signed=-7, at=-7, by=DATA)
        past.anchor(-7)
        past.go(-6)
        past.govern("compromiseKey", past.kid(CONSTRUCTION), int(past.when(-33).timestamp()))

    def _revocation(self) -> None:
        past, kept = self.past, self.kept
        kept["revoked"] = past.record(MARKET, signed=-5, at=-5)
        past.anchor(-5)
        past.go(-3)
        self.old_bundle = past.bundle(kept["revoked"])
        past.go(-2)
        past.revoke(kept["revoked"])
