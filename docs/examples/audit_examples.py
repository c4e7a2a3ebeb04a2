"""Makes the examples of docs/formats.md §17: an authorization, an access record with its openings, a permit.

    python docs/examples/audit_examples.py

Nothing random is in them, so a test makes them again and compares. Everybody in them is fictitious.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any

from audit import access, authorization, permit
from audit.access import Access, AccessStep
from audit.authorization import Authorization
from audit.decision import DecisionCode, StatusBlock
from audit.own import Ground
from audit.permit import Permit
from audit.private import openings_json
from audit.purpose import Purpose
from audit.subject import Holder, Opening, subject_ref
from audit.terms import Grantor, Kind, Method, Scope
from ledger.commitment import SALT_BYTES
from ledger.keys.p256 import P256Signer
from ledger.logid import ACCESS, log_id
from ledger.statement import Statement
from ledger.status import Status

NOW = 1_795_500_000
HANGZHOU, NANJING = 1, 2
LICENCE = "11100000MB0143028R001"
PROVIDER, GRANTEE = "11330100XXXX33013C", "11320100XXXX32010P"
FIELDS = ("business_scope", "enterprise_name")
HOLDER = Holder("001", "91330106XXXX00019G")


def _fixed(name: str, length: int = 32) -> bytes:
    """What is random elsewhere."""
    return sha256(f"formats.md {name}".encode()).digest()[:length]


SUBJECT = Opening(_fixed("subject"), HOLDER).digest
PURPOSE = Purpose(
    system="南京市政务服务平台（演示）",
    cause="核验分公司设立条件",
    category="办理",
    matter_name="内资公司分公司设立登记",
    matter_code="11320100XXXX32010P3000131901000",
    business_code="320100202611240017",
    org=GRANTEE,
    operator="op-9f2c41d07a",
)
CONSENT = Authorization(
    consortium=_fixed("consortium"),
    nonce=_fixed("nonce", 16),
    kind=Kind.CONSENT,
    grantor=Grantor(holder=SUBJECT),
    grantee=GRANTEE,
    providers=(HANGZHOU,),
    subject=SUBJECT,
    scopes=(Scope(LICENCE, FIELDS),),
    purpose=PURPOSE,
    not_before=NOW - 600,
    not_after=NOW + 14 * 24 * 3600,
    max_uses=5,
    daily_limit=None,
    review_by=None,
    method=Method.HOLDER_KEY,
    witness=None,
    basis="本人同意",
)


def examples() -> dict[str, Any]:
    """Label → value."""
    key = P256Signer(_fixed("key of the holder"))
    decided = _decided(authorization.parse(authorization.sign(CONSENT, key)).id)
    salts = b"".join(_fixed(f"salt {n}", SALT_BYTES) for n in range(len(access.private_members(decided))))
    draft, openings = access.draft(decided, PROVIDER, salts)
    log = log_id(HANGZHOU, ACCESS)
    statement = Statement(log, ACCESS, draft.type, "2026-11-24T06:00:00.000Z", draft.agency, draft.body)
    return {
        "authorization": CONSENT.to_json(),
        "access": statement.to_json(),
        "openings": openings_json(openings),
        "permit": _permit(decided).to_json(),
    }


def _decided(authorized: bytes) -> Access:
    return Access(
        step=AccessStep.DECIDED,
        request=_fixed("request"),
        asker=GRANTEE,
        asker_city=NANJING,
        provider=HANGZHOU,
        resource=LICENCE,
        fields=FIELDS,
        ground=Ground.AUTHORIZATION,
        matter=PURPOSE.matter_code,
        authorization=authorized,
        mandate=None,
        code=DecisionCode.ALLOW,
        policy=_fixed("policy"),
        status=StatusBlock(Status.ACTIVE, Status.ACTIVE, NOW - 30),
        signature=_fixed("signature of the request"),
        kid=P256Signer(_fixed("http key")).kid,
        permit=None,
        operator=PURPOSE.operator,
        subject_ref=subject_ref(HOLDER, _fixed("key of the city")),
        item=_fixed("certificate"),
        case=PURPOSE.business_code,
        purpose=PURPOSE.use_cause,
        response=_fixed("response"),
    )


def _permit(decided: Access) -> Permit:
    return Permit(
        consortium=CONSENT.consortium,
        request=decided.request,
        grantee=decided.asker,
        provider=decided.provider,
        resource=decided.resource,
        fields=decided.fields,
        item=None,
        leaf=_fixed("leaf"),
        issued_at=NOW,
        expires_at=NOW + permit.LONGEST,
    )


if __name__ == "__main__":
    from from_demo import FORMATS, replace

    text = FORMATS.read_text(encoding="utf-8")
    for label, value in examples().items():
        text = replace(text, label, value)
    FORMATS.write_text(text, encoding="utf-8")
