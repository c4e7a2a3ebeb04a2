"""One city reads another's data: authorized, recorded on both sides, refused when it asks too much or too late."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from api import agency_keys, authorizing, holder, holder_keys, members, policy_import, reuse
from api import settings as settings_file
from api.agency_keys import Use
from api.authorizing import Signed
from api.demo import world
from api.demo.scene import LICENCES, SAMPLES, Scene
from api.members import Member
from api.private_file import write
from api.reuse import Received
from api.wiring import City
from audit.decision import DecisionCode
from audit.terms import Method
from certs.certificate_type import load_catalogue
from ledger import canonical

STEWARD, ASKER, PROVIDER = "hangzhou_data", "nanjing_market", "A"
RESOURCE = "11100000MB0143028R001"
MATTER, MATTER_NAME = "11320100XXXX32010P3000131901000", "内资公司分公司设立登记"
MATTER_EN = "registration of a company's branch"
FIELDS = ("business_scope", "enterprise_name")
MORE = ("enterprise_name", "registered_capital")
"""One of them the matter does not need."""
USES = 5
DAY, KEY_DAYS = 24 * 3600, 30
LINE = 42
"""The enterprise of this row of the sample."""


@dataclass(frozen=True, slots=True)
class Consent:
    """An enterprise, what it signed, and where."""

    person: dict[str, str]
    name: str
    signed: Signed
    file: Path


def read(scene: Scene) -> Consent:
    """Authorized, read, over-asked, withdrawn, asked again; then the holder looks."""
    nanjing = scene.others[0]
    _prepare(scene, nanjing)
    consent = _authorize(scene)
    _told(scene, "demo.read", _ask(scene, nanjing, consent, FIELDS), DecisionCode.ALLOW)
    _told(scene, "demo.over_asked", _ask(scene, nanjing, consent, MORE), DecisionCode.FIELD_NOT_NEEDED)
    authorizing.revoke(scene.city, consent.signed.id, "subject", None)
    _told(scene, "demo.withdrawn", _ask(scene, nanjing, consent, FIELDS), DecisionCode.REVOKED)
    scene.anchor()
    _look(scene, consent)
    return consent


def _prepare(scene: Scene, nanjing: City) -> None:
    """Hangzhou's data bureau records and has rules; Nanjing's market administration has a key to ask with."""
    steward, asker, city = world.agency(STEWARD), world.agency(ASKER), scene.city
    members.add(city, Member(steward.code, steward.name, ()))
    city.settings = city.settings.model_copy(update={"steward": steward.code})
    settings_file.write(city.home, city.settings)
    policy = SAMPLES / "policy"
    policy_import.adopt_files(
        city,
        policy / "catalogue.csv",
        matters=policy / "matters.yaml",
        lists=policy / "lists.yaml",
        agency=steward.code,
    )
    members.add(nanjing, Member(asker.code, asker.name, ()))
    agency_keys.register(nanjing, asker.code, Use.HTTP)


def _authorize(scene: Scene) -> Consent:
    """The enterprise's own key is registered where it was identified, and signs one consent for one matter."""
    folder, city = scene.folder / "consent", scene.city
    folder.mkdir()
    key, public, password = folder / "holder.json", folder / "public-key.json", folder / "password.txt"
    holder_keys.make(key, public, password)
    person, name = _enterprise(scene)
    whose = folder / "person.json"
    write(whose, canonical.dumps({**person}))
    holder_keys.register(city, public, whose, Method.CLERK_WITNESS.value, None, KEY_DAYS)
    now = int(city.clock().timestamp())
    described = {
        "kind": "consent",
        "grantor": {"holder": person},
        "subject": person,
        "grantee": world.agency(ASKER).code,
        "providers": [world.city(PROVIDER).number],
        "scopes": [{"resource": RESOURCE, "fields": list(FIELDS)}],
        "purpose": _purpose(),
        "not_before": now,
        "not_after": now + DAY,
        "max_uses": USES,
        "method": "holder_key",
        "basis": "本人同意",
    }
    signed = authorizing.create(described, city.deployment.consortium, holder_keys.signer(key, password))
    authorizing.write(folder / "consent.json", signed.object)
    authorizing.record(city, signed.object)
    scene.stage.line(
        "demo.authorized",
        ids={"authorization": signed.id.hex()},
        holder=name,
        agency=scene.names(world.agency(ASKER)),
        matter=scene.named(MATTER_NAME, MATTER_EN),
        fields=len(FIELDS),
        uses=USES,
    )
    return Consent(person, name, signed, folder / "consent.json")


def _ask(scene: Scene, nanjing: City, consent: Consent, fields: tuple[str, ...]) -> Received:
    """Asked by Nanjing, decided by Hangzhou, received by Nanjing; each with a record of its own."""
    described = {
        "provider": world.city(PROVIDER).number,
        "resource": RESOURCE,
        "fields": list(fields),
        "subject": consent.person,
        "purpose": _purpose(),
    }
    sent = reuse.ask(nanjing, described, reuse.cited(consent.file))
    answered = reuse.answer(scene.city, sent.text)
    return reuse.receive(nanjing, answered.text)


def _told(scene: Scene, key: str, received: Received, expected: DecisionCode) -> None:
    scene.stage.line(
        key,
        ok=received.code is expected and bool(received.fields) == (expected is DecisionCode.ALLOW),
        city=scene.names(world.city("B")),
        code=received.code.name,
        fields=scene.named("、", ", ").join(_title(scene, name) for name in sorted(received.fields)),
        reason=scene.output.words.decision(
            received.code.name, {"fields": _title(scene, MORE[-1]), **_named(scene)}
        ).text,
    )


def _look(scene: Scene, consent: Consent) -> None:
    """The holder sees every reading, refused ones too, each with a proof under an anchored head."""
    view = holder.look(scene.city, authorizing.holder_of(consent.person), world.agency(STEWARD).code, lambda *_: None)
    reads = [line.record for line in view.history.lines if line.record.access.asker == world.agency(ASKER).code]
    allowed = sum(read.access.allowed for read in reads)
    scene.stage.line(
        "demo.history",
        ok=(len(reads), allowed) == (3, 1) and all((read.log, read.index) in view.proofs for read in reads),
        ids={"leaf": reads[0].leaf.hex() if reads else "–"},
        holder=consent.name,
        lines=len(reads),
        agency=scene.names(world.agency(ASKER)),
        allowed=allowed,
        refused=len(reads) - allowed,
    )


def _title(scene: Scene, name: str) -> str:
    field = next(field for field in load_catalogue().find(LICENCES).fields if field.name == name)
    return scene.named(field.zh, field.en)


def _enterprise(scene: Scene) -> tuple[dict[str, str], str]:
    with (scene.folder / f"{LICENCES}.csv").open(encoding="utf-8") as file:
        row = list(csv.DictReader(file))[LINE]
    return {"type": "001", "code": row["持证主体代码"]}, scene.named(row["名称"], f"The enterprise of row {LINE}")


def _purpose() -> dict[str, str]:
    return {
        "system": "南京市政务服务平台（演示）",
        "cause": "核验分公司设立条件",
        "category": "办理",
        "matter_name": MATTER_NAME,
        "matter_code": MATTER,
        "business_code": "320100202611240017",
        "org": world.agency(ASKER).code,
        "operator": "op-9f2c41d07a",
    }


def _named(scene: Scene) -> dict[str, str]:
    return {"agency": world.agency(ASKER).code, "matter": scene.named(MATTER_NAME, MATTER_EN), "resource": RESOURCE}
