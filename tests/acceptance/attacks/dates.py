"""Attacks with dates: keys, entitlements and statements that were right at some moment, but not at this one."""

from __future__ import annotations

from attacks.attack import Attack
from attacks.judged import Court, edited
from attacks.past import Story
from attacks.weakening import Change

ISSUER = "certs/verify/issuer.py"
LAG = Change(ISSUER, "if anchored - issued > lag:", "if False:")
KEY_AT_T = Change(
    ISSUER,
    "if not rules.key_valid(key, time, facts.block):",
    "if not rules.key_valid(key, material.visible.issued_at, facts.block):",
)
ACCREDITED = Change(ISSUER, "if not rules.accredited(facts, agency, type_code, time):", "if False:")


def rotated_key(story: Story, court: Court) -> list[Attack]:
    """(7) The key was ended; whoever kept it dates the signature back to when it was not."""
    never = Change(ISSUER, "if not rules.key_valid(key, time, facts.block):", "if False:")
    old, own = story.bundle("rotated key, old date"), story.bundle("rotated key, its own date")
    return [
        court.attack("a rotated key, an old iat", old, "INVALID: ISSUER_KEY_NOT_VALID", KEY_AT_T),
        court.attack("a rotated key, its own date", own, "INVALID: ISSUER_KEY_NOT_VALID", never),
    ]


def successor(story: Story, court: Court) -> list[Attack]:
    """(8) An agency that another one succeeds hands on status rights, not the right to issue."""
    owner = Change(ISSUER, " or key.agency != material.agency:", ":")
    return [
        court.attack("a successor that was never accredited", story.bundle("by a successor"),
                     "INVALID: ISSUER_NOT_ACCREDITED", ACCREDITED),
        court.attack("a successor signs for the one before", story.bundle("by a successor, for the one before"),
                     "INVALID: ISSUER_KEY_OF_ANOTHER", owner),
    ]  # fmt: skip


def dated_back(story: Story, court: Court) -> list[Attack]:
    """(16) Signed under a date that lies further back than recording may take."""
    late = story.bundle("dated back beyond the lag")
    younger = edited(late, lambda b: b["head"].update(time=b["head"]["time"] - 120))
    exactly = Change(
        "certs/verify/anchor.py",
        "if head in view.facts.heads:",
        "if (head.log, head.size, head.root) in [(h.log, h.size, h.root) for h in view.facts.heads]:",
    )
    return [
        court.attack("dated back beyond the anchor lag", late, "INVALID: ISSUER_LATE_ANCHOR", LAG),
        court.attack("and the head's time mended", younger, "INVALID: ANCHOR_NEVER_PUBLISHED", exactly),
    ]


def before_it_was_signed(story: Story, court: Court) -> list[Attack]:
    """(17) A leaf older than what it records, and a head older than its leaf."""
    early = Change(ISSUER, "if issued > at + skew or at > anchored + skew:", "if at > anchored + skew:")
    ahead = Change(ISSUER, "if issued > at + skew or at > anchored + skew:", "if issued > at + skew:")
    return [
        court.attack("recorded a day before it was signed", story.bundle("recorded before it was signed"),
                     "INVALID: ISSUER_BACKDATED", early),
        court.attack("a head older than the statement", story.bundle("anchored before it was recorded"),
                     "INVALID: ISSUER_BACKDATED", ahead),
    ]  # fmt: skip


def stolen_key(story: Story, court: Court) -> list[Attack]:
    """(18) Reported today, stolen last month: what was anchored since does not hold, what was before does."""
    report = Change(ISSUER, "if rules.compromised(key, anchored, facts.block):", "if False:")
    valid = Change(
        "ledger/accreditation.py",
        "return covers(key.terms, time, as_of) and not compromised(key, time, as_of)",
        "return covers(key.terms, time, as_of)",
    )
    stolen = story.bundle("by a stolen key")
    return [
        court.attack(
            "a key compromised with a date in the past", stolen, "INVALID: ISSUER_KEY_COMPROMISED", report, valid
        ),
        court.attack(
            "the same, asked of the node", stolen, "INVALID: ISSUER_KEY_COMPROMISED", report, valid, options=("",)
        ),
    ]


def ended_accreditation(story: Story, court: Court) -> list[Attack]:
    """(19) Signed and recorded in time, anchored when the agency might no longer issue the type."""
    at_signing = Change(
        ISSUER,
        "if not rules.accredited(facts, agency, type_code, time):",
        "if not rules.accredited(facts, agency, type_code, material.visible.issued_at):",
    )
    ended = story.bundle("accreditation ended before the anchor")
    return [
        court.attack("accreditation ended before the anchor", ended, "INVALID: ISSUER_NOT_ACCREDITED", at_signing),
    ]
