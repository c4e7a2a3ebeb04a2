"""The holder's view on a real city: every kind of line, a proof for each, hiding, and no chain at all."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import readings
from access_records import ASKER, FIELDS, STEWARD, person
from homes import WORDS, Home, copied

from api import auditing, holder
from api.errors import ApiError
from api.holder import View
from api.messages import Words
from api.render.history_pdf import pdf
from api.render.history_sheet import names_of, sheet
from audit.decision import DecisionCode
from audit.errors import AccessError
from audit.grants import Revoker
from audit.history import Outcome
from audit.own import HISTORY, Ground
from audit.private import openings_from, reveal
from audit.withholding import Order
from certs.errors import HolderError
from ledger import merkle, statement
from ledger.canonical import dumps
from ledger.commitment import statement_leaf


@pytest.fixture(scope="module")
def read(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """A city in which person 0 was read twice, over-asked and looked at by staff, and person 1 was read too."""
    with copied(founded, tmp_path_factory.mktemp("read")) as home:
        readings.prepare(home.city)
        mine, other = readings.grant(home.city, 0), readings.grant(home.city, 1)
        readings.decide(home.city, "first", mine)
        readings.decide(home.city, "too much", mine, fields=(*FIELDS, "registered_capital"))
        readings.decide(home.city, "another", other, number=1)
        readings.staff_read(home.city, "staff")
        home.publish()
        readings.decide(home.city, "second", mine)
        yield home


def order_of(request: str, until: int) -> Order:
    return holder.order_from(request, until, "刑事诉讼法", ("op-order-001", "op-order-002"))


def look(home: Home, number: int = 0) -> View:
    return holder.look(home.city, person(number), STEWARD, lambda *_: None)


def test_everything_that_was_tried_is_shown_the_newest_first(read: Home) -> None:
    view = look(read)
    first_look, *others = view.history.lines[-5:]
    assert first_look.is_own and first_look.record.access.resource == HISTORY
    assert [line.outcome for line in others] == [
        Outcome.RELEASED,
        Outcome.RELEASED,
        Outcome.REFUSED,
        Outcome.RELEASED,
    ]
    assert others[2].record.access.code is DecisionCode.FIELD_NOT_NEEDED
    assert others[1].record.access.ground is Ground.OWN_STAFF
    assert {line.record.access.asker for line in others} == {ASKER, STEWARD}
    assert all(line.record.access.subject_ref == read.city.keyring.ref(person(0)).hex() for line in others)


def test_the_look_itself_is_recorded_before_anything_is_shown(read: Home) -> None:
    before = look(read)
    after = look(read)
    own = [line for line in after.history.lines if line.is_own]
    assert own[0].record.index == after.opened_by.index > before.opened_by.index
    assert len(after.history.lines) == len(before.history.lines) + 1


def test_each_line_is_proven_from_its_salts_to_the_root(read: Home) -> None:
    view = look(read)
    anchored = 0
    for line, evidence in zip(view.history.lines, view.evidence, strict=True):
        said = statement.from_json(evidence["statement"])
        leaf = statement_leaf(dumps(evidence["statement"]), bytes.fromhex(str(evidence["salt"])))
        proof = view.proofs[line.record.log, line.record.index]
        assert leaf == line.record.leaf
        place = {"index": line.record.index, "size": proof.size}
        merkle.verify_inclusion(leaf_hash=leaf, proof=proof.path, root=proof.root, **place)
        opened = openings_from(evidence["openings"])
        assert reveal(said.body["private"], opened)["subject_ref"] == line.record.access.subject_ref  # type: ignore[arg-type]
        anchored += proof.anchor is not None
    assert 0 < anchored < len(view.history.lines)


def test_what_is_withheld_is_counted_and_comes_free_by_itself(home: Home) -> None:
    readings.prepare(home.city)
    secret = readings.decide(home.city, "secret", None)
    request, now = secret.access.request.hex(), int(home.city.clock().timestamp())
    holder.withhold(home.city, order_of(request, now + 3600), STEWARD)
    view = look(home)
    assert view.history.withheld == ((now + 3600, 1),)
    assert [line.is_own for line in view.history.lines] == [True]
    home.reopen().clock = lambda: datetime.fromtimestamp(now + 3600, UTC)
    assert secret.index in {line.record.index for line in look(home).history.lines}


def test_what_is_withheld_stays_in_order_for_the_auditor(read: Home) -> None:
    request = look(read).history.lines[-1].record.access.request.hex()
    now = int(read.city.clock().timestamp())
    with pytest.raises(AccessError):
        holder.withhold(read.city, order_of(request, now - 1), STEWARD)
    holder.withhold(read.city, order_of("00" * 32, now + 3600), STEWARD)
    looked = auditing.Looked()
    assert list(auditing.differences(read.city, looked, stream=None, told=lambda *_: None)) == []


def test_authorizations_that_stand_are_told_until_they_are_withdrawn(read: Home) -> None:
    (standing,) = look(read, 1).standing
    assert (standing.row.grantee, standing.row.uses) == (ASKER, 1)
    read.city.settings.__dict__["steward"] = STEWARD
    read.city.granting.revoke(standing.row.id, Revoker.SUBJECT, reason="不再需要")
    assert look(read, 1).standing == ()


def test_a_person_nobody_read_sees_his_own_look_alone(read: Home) -> None:
    view = look(read, 7)
    assert [line.is_own for line in view.history.lines] == [True]
    assert (view.history.withheld, view.history.closed, view.standing) == ((), 0, ())


def test_it_goes_on_while_the_chain_is_away(read: Home) -> None:
    lines = len(look(read).history.lines)
    read.chain.stop()
    try:
        read.reopen()
        assert len(look(read).history.lines) == lines + 1
    finally:
        from api import devchain

        read.chain = devchain.start_inside(read.city)


@pytest.mark.parametrize("language", ["zh", "en"])
def test_terminal_and_paper_say_the_same(read: Home, language: str) -> None:
    words = Words(language)
    shown = sheet(look(read), names_of(read.city), words)
    assert any("营业执照" in line.what and "经营范围" in line.what for line in shown.lines)
    assert all(person(0).code not in text for line in shown.lines for text in (line.what, line.why, line.proof))
    made = pdf(shown, lambda page: words.say("holder.page", page=page))
    assert made.startswith(b"%PDF-") and made == pdf(shown, lambda page: words.say("holder.page", page=page))


@pytest.mark.parametrize("typed", ["", "111", "111 " + "9" * 300, "\n"])
def test_a_holder_that_is_none_is_refused(typed: str) -> None:
    with pytest.raises(ApiError) as refused:
        holder.holder_from(typed)
    assert refused.value.code == "HOLDER_INPUT"


def test_a_number_that_cannot_be_is_refused_without_being_repeated() -> None:
    with pytest.raises(HolderError) as refused:
        holder.holder_from("111 330106198506150000")
    assert "330106198506150000" not in WORDS.error(refused.value.code, refused.value.params).text
