"""Two cities, a person with a key of his own, a matter and its rules: everything needed to read one licence."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from types import MappingProxyType

from audit import authorization as authorizations
from audit import mandate as mandates
from audit.authorization import Authorization, Presented
from audit.binding import AgencyKey, Bound, BoundMandate, HolderKey, KeySource, bind, bind_mandate
from audit.lists import Forbidden, Lists, Share
from audit.mandate import Mandate, PresentedMandate, Relation
from audit.matter import Limit, Matter, Matters
from audit.purpose import Purpose
from audit.request import Request, Rules, StatusView
from audit.resource import Item, Resource, ResourceCatalogue, Sharing
from audit.subject import Holder, Opening
from audit.terms import DAY, Grantor, Kind, Method, Scope, Witness
from ledger.keys.p256 import P256Signer

NOW = 1_795_500_000
HERE, THERE = 1, 2
CONSORTIUM = sha256(b"consortium").digest()
PROVIDER = "11330100XXXX33013C"
GRANTEE = "11320100XXXX32010P"
COUNTER = "11340100XXXX340161"
STRANGER = "11320100XXXX32045A"
LICENCE = "11100000MB0143028R001"
CARD = "11100000000013127D001"
SECRET_RESOURCE = "11100000000013127D999"
MATTER_CODE = "11320100XXXX32010P3000131901000"
OTHER_MATTER = "11320100XXXX32010P3000131902000"
NAME, SCOPE_OF, CODE = "enterprise_name", "business_scope", "unified_social_credit_code"
CLERK, SECOND_CLERK, ASKING = "op-witness-1", "op-witness-2", "op-asking-77"

PERSON = Holder("001", "91330106XXXX00019G")
AGENT = Holder("111", "340104198207059962")
OTHER = Holder("111", "330106198506159972")


def key(name: str) -> P256Signer:
    return P256Signer(sha256(name.encode()).digest())


def opening(holder: Holder, name: str = "") -> Opening:
    return Opening(sha256(f"{holder.code}{name}".encode()).digest(), holder)


OPENINGS = (opening(PERSON), opening(AGENT), opening(OTHER))
PERSON_KEY, AGENT_KEY, WITNESS_KEY = key("person"), key("agent"), key("witness")

PURPOSE = Purpose(
    system="政务服务平台",
    cause="核验营业执照",
    category="办理",
    matter_name="内资公司分公司设立登记",
    matter_code=MATTER_CODE,
    business_code="320100202611240017",
    org=GRANTEE,
    operator=ASKING,
)

CONSENT = Authorization(
    consortium=CONSORTIUM,
    nonce=bytes(range(16)),
    kind=Kind.CONSENT,
    grantor=Grantor(holder=opening(PERSON).digest),
    grantee=GRANTEE,
    providers=(HERE,),
    subject=opening(PERSON).digest,
    scopes=(Scope(LICENCE, (SCOPE_OF, NAME)),),
    purpose=PURPOSE,
    not_before=NOW - 100,
    not_after=NOW + DAY,
    max_uses=10,
    daily_limit=None,
    review_by=None,
    method=Method.HOLDER_KEY,
    witness=None,
    basis="本人同意",
)
WITNESSED = replace(
    CONSENT,
    kind=Kind.WITNESSED_CONSENT,
    method=Method.ON_SCREEN_SIGNATURE,
    witness=Witness(COUNTER, (CLERK,), sha256(b"form").digest()),
)
AGREEMENT = replace(
    CONSENT,
    kind=Kind.AGREEMENT,
    grantor=Grantor(agency=PROVIDER),
    subject=None,
    purpose=replace(PURPOSE, business_code=None),
    daily_limit=50,
    method=None,
    witness=Witness(PROVIDER, (CLERK,), None),
    basis="责任清单第 3 项",
)
EMERGENCY = replace(
    AGREEMENT,
    kind=Kind.EMERGENCY,
    purpose=PURPOSE,
    daily_limit=None,
    review_by=NOW + 2 * DAY,
    not_before=NOW - 100,
    not_after=NOW - 100 + DAY,
    witness=Witness(PROVIDER, (CLERK, SECOND_CLERK), None),
    basis="突发事件应对法",
)
MANDATE = Mandate(
    consortium=CONSORTIUM,
    nonce=bytes(range(16)),
    relation=Relation.LEGAL_REPRESENTATIVE,
    principal=opening(PERSON).digest,
    agent=opening(AGENT).digest,
    matters=(MATTER_CODE,),
    not_before=NOW - 200,
    not_after=NOW + DAY,
    method=Method.HOLDER_KEY,
    witness=None,
    basis="授权委托书",
)


def shown(authorization: Authorization = CONSENT, signer: P256Signer = PERSON_KEY) -> Presented:
    return authorizations.parse(authorizations.sign(authorization, signer))


def shown_mandate(mandate: Mandate = MANDATE, signer: P256Signer = PERSON_KEY) -> PresentedMandate:
    return mandates.parse(mandates.sign(mandate, signer))


def person_key(
    signer: P256Signer = PERSON_KEY,
    holder: Holder = PERSON,
    source: KeySource = KeySource.CERTIFICATE,
    city: int = HERE,
) -> HolderKey:
    return HolderKey(signer.x, signer.y, holder, source, city)


def witness_key(agency: str = COUNTER, signer: P256Signer = WITNESS_KEY) -> AgencyKey:
    return AgencyKey(signer.x, signer.y, agency)


def bound(authorization: Authorization = CONSENT, mandate: BoundMandate | None = None) -> Bound:
    """As it should be: signed by whoever must sign an authorization of its kind."""
    signer: P256Signer = PERSON_KEY
    proven: HolderKey | AgencyKey = person_key()
    if authorization.witness is not None:
        signer, proven = WITNESS_KEY, witness_key(authorization.witness.agency)
    elif mandate is not None:
        signer, proven = AGENT_KEY, person_key(AGENT_KEY, AGENT)
    presented = shown(authorization, signer)
    return bind(presented, proven, OPENINGS, mandate, consortium=CONSORTIUM, provider=HERE)


def bound_mandate(mandate: Mandate = MANDATE) -> BoundMandate:
    presented = shown_mandate(mandate)
    return bind_mandate(presented, person_key(), OPENINGS, consortium=CONSORTIUM, provider=HERE)


def by_agent(mandate: BoundMandate) -> Authorization:
    return replace(CONSENT, grantor=Grantor(holder=opening(AGENT).digest, mandate=mandate.id))


def resource(code: str, *names: str, sharing: Sharing = Sharing.CONDITIONAL) -> Resource:
    return Resource(
        code=code,
        name=f"资源 {code}",
        provider=PROVIDER,
        provider_name="杭州市市场监督管理局（演示）",
        summary="",
        format="电子证照",
        sharing=sharing,
        condition="经本人同意",
        mode="接口",
        open=False,
        cycle="实时",
        items=tuple(Item(name, f"名称 {name}") for name in names),
        authoritative=frozenset(),
    )


def matter(code: str, name: str, needs: dict[str, frozenset[str]]) -> Matter:
    agencies = frozenset({GRANTEE, COUNTER})
    return Matter(code, name, MappingProxyType(needs), agencies, MappingProxyType({GRANTEE: Limit(3, 1)}))


RULES = Rules(
    catalogue=ResourceCatalogue(
        (
            resource(LICENCE, NAME, SCOPE_OF, CODE, "registered_capital"),
            resource(CARD, "name", "id_number"),
            resource(SECRET_RESOURCE, "name", sharing=Sharing.NOT_SHARED),
        )
    ),
    matters=Matters(
        (
            matter(
                MATTER_CODE,
                PURPOSE.matter_name,
                {LICENCE: frozenset({NAME, SCOPE_OF, CODE}), CARD: frozenset({"name", "id_number"})},
            ),
            matter(OTHER_MATTER, "开办餐饮店“一件事”", {LICENCE: frozenset({NAME})}),
        )
    ),
    lists=Lists(
        negative=(Forbidden(CARD, "id_number", "个人信息保护法", frozenset({OTHER_MATTER})),),
        shares=(Share(PROVIDER, LICENCE, GRANTEE, frozenset({NAME, SCOPE_OF}), frozenset({MATTER_CODE}), 50),),
    ),
)

REQUEST = Request(
    id=sha256(b"request").digest(),
    agency=GRANTEE,
    operator=ASKING,
    provider=HERE,
    subject=PERSON,
    resource=LICENCE,
    fields=(NAME,),
    purpose=PURPOSE,
    item=sha256(b"licence").digest(),
)
FRESH = StatusView(read_at=NOW - 60)
