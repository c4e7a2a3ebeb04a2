"""Attacks on logs, statuses and members by raw transactions: what no command would send."""

from __future__ import annotations

import secrets
from functools import partial

from attacks.attack import Attack, Outcome
from attacks.three_cities import (
    GOVERNOR,
    HANGZHOU,
    HOT,
    LEAVES,
    NANJING,
    OF_Y,
    STRANGER,
    STREAM,
    TYPE,
    Ground,
    X,
    Y,
    Z,
)
from attacks.weakening import Change, Target
from ledger import merkle
from ledger.evm.account import Account
from ledger.evm.contracts import governance, status_registry
from ledger.evm.contracts.codec import OPEN_ENDED
from ledger.evm.contracts.log_anchor import close_epoch
from ledger.logid import ascii32, log_id
from ledger.ports import HeadItem, StatusChange

REVOKED, PENALTY = 3, 4
DIGEST = bytes(range(32))
UNREGISTERED = Change("contracts/members/Accounts.sol", "if (!active) revert Unregistered(who);", "")
ANYBODYS_LOG = Change(
    "contracts/LogAnchor.sol",
    "(city,) = registry.actsFor(msg.sender, ROLE_PUBLISH);",
    "registry.actsFor(msg.sender, ROLE_PUBLISH); city = registry.cityIdAt(0);",
)
ANY_GROWTH = Change("contracts/LogAnchor.sol", "if (size - latest.size > MAX_GROWTH) return Refusal.TOO_LARGE;", "")
ANY_PROOF = Change(
    "contracts/LogAnchor.sol", "return grows ? Refusal.NONE : Refusal.BAD_PROOF;", "return Refusal.NONE;"
)


# ------------------------------------------------------- (1) a status by another


def revoked_by(ground: Ground, who: Account, under: str, target: Target) -> Outcome:
    """`who` revokes a certificate of X, writing under `under`."""
    cities = ground.deploy(target)
    change = StatusChange(under, DIGEST, REVOKED, PENALTY, 0)
    said = cities.attempt(who, "StatusRegistry", status_registry.set_status_many([change]))
    read = cities.statuses(X, DIGEST)
    return Outcome(read != [], f"{said}, {len(read)} records of X")


def status_by_another(ground: Ground) -> list[Attack]:
    registry = "contracts/StatusRegistry.sol"
    own = Change(registry, "if (sender.agency != 0) return sender.agency == issuer;", "")
    city = Change(
        registry,
        "return registry.isMember(issuer, sender.city, uint64(block.timestamp), uint64(block.number));",
        "return true;",
    )
    by_digest_alone = (
        Change(registry, "_records[change.issuer][change.digest];", "_records[0][change.digest];"),
        Change(registry, "_records[issuer][digest];\n        all", "_records[0][digest];\n        all"),
        Change(registry, "_records[issuer][digest];\n        for", "_records[0][digest];\n        for"),
    )
    play = partial(revoked_by, ground)
    return [
        Attack("agency Y revokes X's certificate", partial(play, OF_Y, X), "NOT_ENTITLED", (own,)),
        Attack("another city revokes it", partial(play, HOT[NANJING], X), "NOT_ENTITLED", (city,)),
        Attack("Y writes about it under its own name", partial(play, OF_Y, Y), "StatusChanged, 0", by_digest_alone),
        Attack("the governor, from its cold account", partial(play, GOVERNOR[HANGZHOU], X), "Unregistered",
               (UNREGISTERED,)),
    ]  # fmt: skip


# ------------------------------------------------------------ (2) another's log


def taken(ground: Ground, who: Account, target: Target) -> Outcome:
    """`who` continues Hangzhou's log with entries of its own; its leaves are public, so the proof is right."""
    cities = ground.deploy(target)
    cities.grown(HOT[HANGZHOU], 3)
    before = cities.head(HANGZHOU)
    cities.wait()
    said = cities.grown(who, 4, 3, [*LEAVES[:3], merkle.leaf_hash(b"forged")])
    return Outcome(cities.head(HANGZHOU) != before, f"{said}, Hangzhou's head at {cities.head(HANGZHOU)[0]}")


def closed_by_a_neighbour(ground: Ground, target: Target) -> Outcome:
    """Nanjing's governor ends the epoch of Hangzhou's log, so that its entries are void."""
    cities = ground.deploy(target)
    cities.grown(HOT[HANGZHOU], 3)
    said = cities.attempt(GOVERNOR[NANJING], "LogAnchor", close_epoch(STREAM, 0))
    closed = cities.chain.read("LogAnchor", "epochClosedAt", log_id(HANGZHOU, STREAM))[0]
    return Outcome(bool(closed), said)


def log_of_another(ground: Ground) -> list[Attack]:
    roles = Change("contracts/members/Accounts.sol", "row.roles & role != 0 && _accountTerms", "_accountTerms")
    governs = Change(
        "contracts/LogAnchor.sol", "_close(registry.governs(msg.sender), streamId, lastGoodSize, 0);",
        "registry.governs(msg.sender); _close(registry.cityIdAt(0), streamId, lastGoodSize, 0);",
    )  # fmt: skip
    play = partial(taken, ground)
    return [
        Attack("Nanjing continues Hangzhou's log", partial(play, HOT[NANJING]), "FIRST_WITH_PROOF", (ANYBODYS_LOG,)),
        Attack("a stranger continues it", partial(play, STRANGER), "Unregistered", (UNREGISTERED, ANYBODYS_LOG)),
        Attack("an agency's status account continues it", partial(play, OF_Y), "Unregistered", (roles,)),
        Attack("Nanjing ends its epoch", partial(closed_by_a_neighbour, ground), "NothingToClose", (governs,)),
    ]


# -------------------------------------------------------- (3) a head of size 2^63


def blown_up(ground: Ground, items: list[tuple[int, bool]], target: Target) -> Outcome:
    """A publisher with one honest leaf publishes sizes nobody could ever exceed. (size, whether the proof is built
    for it): of random hashes a root can be computed that the proof leads to, so consistency alone stops nothing.
    """
    cities = ground.deploy(target)
    cities.grown(HOT[HANGZHOU], 1)
    cities.wait()
    heads, size, root = [], 1, LEAVES[0]
    for grown, fits in items:
        proof, new = _random_growth(size, grown, root)
        heads.append(HeadItem(STREAM, grown, new if fits else secrets.token_bytes(32), proof))
        size, root = grown, new
    said = cities.publish(HOT[HANGZHOU], *heads)
    return Outcome(cities.head(HANGZHOU)[0] == size, f"{said}, head at {cities.head(HANGZHOU)[0]}")


def _random_growth(old: int, new: int, root: bytes) -> tuple[tuple[bytes, ...], bytes]:
    """A consistency proof between powers of two, of random hashes, and the root it leads to (RFC 9162 §2.1.4.2)."""
    assert old & (old - 1) == new & (new - 1) == 0
    proof = [secrets.token_bytes(32) for _ in range(new.bit_length() - old.bit_length())]
    for each in proof:
        root = merkle.node_hash(root, each)
    return tuple(proof), root


def first_of_all(ground: Ground, target: Target) -> Outcome:
    """The very first head, which needs no proof."""
    cities = ground.deploy(target)
    said = cities.publish(HOT[HANGZHOU], HeadItem(STREAM, 2**63, secrets.token_bytes(32), ()))
    return Outcome(cities.head(HANGZHOU)[0] == 2**63, f"{said}, head at {cities.head(HANGZHOU)[0]}")


def size_beyond_all(ground: Ground) -> list[Attack]:
    play = partial(blown_up, ground)
    soon = Change(
        "contracts/LogAnchor.sol", "if (block.timestamp - latest.time < minInterval) return Refusal.TOO_SOON;", ""
    )
    return [
        Attack(
            "2^63 leaves, a right proof of random hashes", partial(play, [(2**63, True)]), "TOO_LARGE", (ANY_GROWTH,)
        ),
        Attack("2^63 leaves as the first head", partial(first_of_all, ground), "TOO_LARGE", (ANY_GROWTH,)),
        Attack(
            "2^63 leaves, random root and hashes", partial(play, [(2**63, False)]), "TOO_LARGE", (ANY_GROWTH, ANY_PROOF)
        ),
        Attack("2^32 leaves, random root and hashes", partial(play, [(2**32, False)]), "BAD_PROOF", (ANY_PROOF,)),
        Attack(
            "2^31, then 2^32 in one transaction", partial(play, [(2**31, True), (2**32, True)]), "TOO_SOON", (soon,)
        ),
    ]


# ------------------------------------------- parts of (8), (18), (19): other people's terms


def heir_unasked(ground: Ground, target: Target) -> Outcome:
    """Z was named the successor of X and has not accepted: its city revokes X's certificate."""
    cities = ground.deploy(target)
    cities.attempt(GOVERNOR[HANGZHOU], "MemberRegistry", governance.name_successor(X, Z))
    change = StatusChange(X, DIGEST, REVOKED, PENALTY, 0)
    said = cities.attempt(HOT[NANJING], "StatusRegistry", status_registry.set_status_many([change]))
    return Outcome(cities.statuses(X, DIGEST) != [], said)


def self_made_heir(ground: Ground, target: Target) -> Outcome:
    """X named Y; Z accepts in its place, and its city writes under X."""
    cities = ground.deploy(target)
    cities.attempt(GOVERNOR[HANGZHOU], "MemberRegistry", governance.name_successor(X, Y))
    said = cities.attempt(GOVERNOR[NANJING], "MemberRegistry", governance.accept_succession(X, Z))
    succession = cities.chain.read("MemberRegistry", "succession", ascii32(X))
    return Outcome(any(succession[2:]), said)


def succession(ground: Ground) -> list[Attack]:
    file = "contracts/members/Successions.sol"
    accepted = Change(file, "return s.accepted == 0 ? bytes32(0) : s.successor;", "return s.successor;")
    named = Change(
        file, "if (s.successor != successor || !_isNamedStill(agency, s.city)) revert NotNamed(agency, successor);", ""
    )
    return [
        Attack("named, not accepted, it revokes", partial(heir_unasked, ground), "NOT_ENTITLED", (accepted,)),
        Attack("not named, it accepts", partial(self_made_heir, ground), "NotNamed", (named,)),
    ]


def key_reported_by(ground: Ground, who: Account, since: int, target: Target) -> Outcome:
    """`who` reports X's key as compromised `since` seconds from now, and with it all that X signed."""
    cities = ground.deploy(target)
    kid, point = bytes(range(32)), bytes(range(1, 33))
    cities.call(GOVERNOR[HANGZHOU], "addKey", (kid, HANGZHOU, ascii32(X), 1, 1, point, point), 0, OPEN_ENDED)
    said = cities.call(who, "compromiseKey", kid, cities.now() + since)
    return Outcome(bool(cities.chain.read("MemberRegistry", "key", kid)[2]), said)


def key_of_another(ground: Ground) -> list[Attack]:
    file = "contracts/members/Keys.sol"
    own = Change(file, "if (record.row.city != _governedCity()) revert UnknownKey(thumbprint);", "")
    future = Change(file, "if (since > time) revert CompromiseInFuture(since, time);", "")
    play = partial(key_reported_by, ground)
    return [
        Attack("another city reports the key", partial(play, GOVERNOR[NANJING], 0), "UnknownKey", (own,)),
        Attack("reported for next week", partial(play, GOVERNOR[HANGZHOU], 604_800), "CompromiseInFuture", (future,)),
    ]


def accredited_backwards(ground: Ground, target: Target) -> Outcome:
    """The governor lets X issue from yesterday on, so that what X signed then becomes right."""
    cities = ground.deploy(target)
    cities.wait(200_000)
    yesterday = cities.now() - 86_400
    said = cities.call(GOVERNOR[HANGZHOU], "accredit", ascii32(X), ascii32(TYPE), yesterday, OPEN_ENDED)
    asked = (ascii32(X), HANGZHOU, ascii32(TYPE))
    terms = cities.chain.read("MemberRegistry", "accreditationTerms", *asked)
    return Outcome(any(term[0] <= yesterday for term in terms), said)


def ended_backwards(ground: Ground, target: Target) -> Outcome:
    """The governor ends X's accreditation as of yesterday: what X signed since would never have held."""
    cities = ground.deploy(target)
    cities.call(GOVERNOR[HANGZHOU], "accredit", ascii32(X), ascii32(TYPE), 0, OPEN_ENDED)
    cities.wait(200_000)
    said = cities.call(GOVERNOR[HANGZHOU], "endAccreditation", ascii32(X), ascii32(TYPE), cities.now() - 86_400)
    terms = cities.chain.read("MemberRegistry", "accreditationTerms", ascii32(X), HANGZHOU, ascii32(TYPE))
    return Outcome(len(terms) > 1, said)


def past_rewritten(ground: Ground) -> list[Attack]:
    start = Change("contracts/Terms.sol", "if (start < present) revert ITerms.TermStartsInPast(start, present);", "")
    stop = Change("contracts/Terms.sol", "if (stop < present) revert ITerms.TermEndsInPast(stop, present);", "")
    return [
        Attack("accredited from yesterday on", partial(accredited_backwards, ground), "TermStartsInPast", (start,)),
        Attack("ended as of yesterday", partial(ended_backwards, ground), "TermEndsInPast", (stop,)),
    ]
