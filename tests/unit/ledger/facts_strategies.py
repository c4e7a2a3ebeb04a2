"""Facts as a chain could hold them, for hypothesis; and three cities that sign snapshots."""

from __future__ import annotations

from hashlib import sha256

from hypothesis import strategies as st

from ledger.facts import (
    Accreditation,
    Agency,
    City,
    Compromise,
    EpochClosing,
    Facts,
    Key,
    PublishedHead,
    StatusHistory,
    StatusRecord,
    Term,
)
from ledger.keys.p256 import P256Signer
from ledger.trust import Contract, Deployment, Trust, Witness

CONSORTIUM = sha256(b"consortium").digest()
CITY_KEYS = [P256Signer(sha256(b"witness %d" % city).digest()) for city in range(1, 4)]
DEPLOYMENT = Deployment(
    CONSORTIUM, 31337, *(Contract("0x" + f"{n}a" * 20, sha256(b"code %d" % n).digest()) for n in range(1, 4))
)

natural = st.integers(0, 2**53 - 1)
hash32 = st.binary(min_size=32, max_size=32)
code18 = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=18, max_size=18)
code21 = st.text("0123456789ABCDEFGHJKLMNPQRTUWXY", min_size=21, max_size=21)
city = st.integers(1, 2**32 - 1)
kid = st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True)
terms = st.lists(st.builds(Term, natural, st.none() | natural, natural, natural), max_size=3).map(tuple)


def rows(row: st.SearchStrategy) -> st.SearchStrategy:
    return st.lists(row, max_size=2).map(tuple)


status_records = st.builds(
    StatusRecord, st.integers(0, 6), natural, natural, st.just("") | code18, hash32, natural, natural
)
keys = st.builds(
    Key,
    kid,
    city,
    st.just("") | code18,
    natural,
    natural,
    hash32,
    hash32,
    terms,
    rows(st.builds(Compromise, natural, natural)),
)
heads = st.builds(PublishedHead, hash32, natural, hash32, natural, natural, natural)
facts = st.builds(
    Facts,
    consortium=st.just(CONSORTIUM),
    chain_id=st.just(DEPLOYMENT.chain_id),
    block=natural,
    block_hash=hash32,
    time=natural,
    cities=rows(st.builds(City, city, natural, terms)),
    agencies=rows(st.builds(Agency, code18, city, terms)),
    accreditations=rows(st.builds(Accreditation, code18, city, code21, terms)),
    keys=rows(keys),
    heads=rows(heads),
    statuses=rows(st.builds(StatusHistory, code18, hash32, rows(status_records))),
    closings=rows(st.builds(EpochClosing, hash32, natural, natural, natural)),
)


def witness(city_no: int) -> Witness:
    return Witness(city_no, CITY_KEYS[city_no - 1].x, CITY_KEYS[city_no - 1].y)


def trust(k: int, *witnesses: Witness) -> Trust:
    listed = witnesses or tuple(witness(city_no) for city_no in (1, 2, 3))
    return Trust(DEPLOYMENT, listed, k, "2027-01-01T00:00:00.000Z", ("http://127.0.0.1:8545",))
