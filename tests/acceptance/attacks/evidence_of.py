"""Attacks with the evidence of something else: another certificate's proof, another city's log, another spelling."""

from __future__ import annotations

from functools import partial

from attacks import elsewhere, forms
from attacks.attack import Attack, Outcome
from attacks.elsewhere import OTHER, OWN
from attacks.judged import Court, member, step, with_members
from attacks.present import Present
from attacks.weakening import Change, Target

BINDING = "certs/verify/binding.py"
DIGEST = Change(
    BINDING, 'if body.get("digest") != material.digest.hex() or body.get("suite") != visible.suite:', "if False:"
)
IDENTIFIER = Change(BINDING, 'if body.get("identifier") != visible.identifier:', "if False:")
PROOF = Change(
    "certs/verify/inclusion.py", "        verify_inclusion(leaf_hash=leaf, ", "        dict(leaf_hash=leaf, "
)


def another_proof(present: Present, court: Court) -> list[Attack]:
    """(4) A certificate that was signed and never recorded, with the proof of one that was."""
    other = present.forged(certificate_identifier=present.identifiers[1], enterprise_name="冒名")
    same = present.forged(enterprise_name="冒名")
    beside = court.later(with_members(present.genuine, presentation=other))
    namesake = court.later(with_members(present.genuine, presentation=same))
    stated = present.statement(same, OWN)
    invented = court.later(with_members(present.genuine, presentation=same, statement=stated))
    return [
        court.attack("A's proof beside B", beside, "INVALID: BINDING_DIGEST", DIGEST, IDENTIFIER),
        court.attack("B under A's identifier", namesake, "INVALID: BINDING_DIGEST", DIGEST),
        court.attack("a statement made for B, A's proof", invented, "INVALID: INCLUSION_PROOF", PROOF),
    ]


def another_log(present: Present, court: Court) -> list[Attack]:
    """(5) The city never recorded it; another one enters the very statement in its own log."""
    forged = present.forged(enterprise_name="冒名")
    copied, own = elsewhere.recorded(present, present.statement(forged, OWN), present.statement(forged, OTHER))
    here = with_members(present.genuine, presentation=forged)
    other_log = Change("certs/verify/anchor.py", "if head.log != material.statement.log:", "if False:")
    of_city = Change(BINDING, "if material.statement.log != expected:", "if False:")
    member_of = Change("certs/verify/issuer.py", "if rules.city_of(facts, agency, time) != city:", "if False:")
    accredited = Change(
        "certs/verify/issuer.py", "if not rules.accredited(facts, agency, type_code, time):", "if False:"
    )
    replayed = court.later(with_members(here, **copied.members))
    disguised = court.later(with_members(here, **own.members))
    moved = court.later(with_members(here, **own.members, city=2))
    return [
        court.attack("the statement replayed in another log", replayed, "INVALID: ANCHOR_OTHER_LOG", other_log),
        court.attack("that log shown as the agency's", disguised, "INVALID: BINDING_LOG", of_city),
        court.attack(
            "the agency shown as the other city's", moved, "INVALID: ISSUER_NOT_MEMBER", member_of, accredited
        ),
    ]


# ------------------------------------------------- (6) one certificate, many spellings

CANONICAL = Change("ledger/jws.py", "if b64url(value) != text:", "if False:")
OVER_THE_SIGNATURE = Change(
    "certs/sdjwt.py",
    "return certificate_digest(self.untrusted.signing_input)",
    "return certificate_digest(self.jwt.encode())",
)
LENGTHS = (
    Change("ledger/jws.py", "signature = unb64url(parts[2])\n    if len(signature) != 64:",
           "signature = unb64url(parts[2])\n    if False:"),
    Change("ledger/jws.py", "y: bytes) -> None:\n    if len(signature) != 64:", "y: bytes) -> None:\n    if False:"),
)  # fmt: skip


def tried(court: Court, bundles: dict[str, bytes], allowed: set[str], target: Target) -> Outcome:
    """Whether a spelling beyond the allowed ones passes, or one certificate comes under more than one digest."""
    verdicts = dict(zip(bundles, court.every(target, list(bundles.values())), strict=True))
    accepted = {name for name, verdict in verdicts.items() if step(verdict, "SIGNATURE")["state"] == "PASS"}
    digests = {_digest(verdicts[name]) for name in accepted}
    said = f"{len(bundles)} forms: {len(accepted)} accepted, {len(digests)} digest{'s' * (len(digests) > 1)}"
    return Outcome(len(digests) > 1 or not accepted <= allowed, said)


def _digest(verdict: dict[str, object]) -> str:
    """What BINDING compared: of the certificate, not what the statement says."""
    compared = step(verdict, "BINDING")["compared"]
    return str(compared.get("certificate") or compared["digest"])


def spellings(present: Present, court: Court) -> list[Attack]:
    """(6) ES256 lets anybody write s as n − s, and lenient base64url 16 endings each: 32 forms of one signature."""
    parts = forms.Parts.of(str(member(present.genuine, "presentation")))
    thirty_two = {n: with_members(present.genuine, presentation=text) for n, text in forms.signatures(parts).items()}
    others = {n: with_members(present.genuine, presentation=text) for n, text in forms.others(parts).items()}
    others |= forms.files(present.genuine)
    assert len(set(thirty_two.values())) == 32
    two = {name for name in thirty_two if name.endswith("canonical")}
    play = partial(tried, court, thirty_two, two)
    apart = {name: others[name] for name in ("zeros between r and s",)}
    return [
        Attack("32 byte forms under a digest of their own each", play, "2 accepted, 1 digest",
               (OVER_THE_SIGNATURE, CANONICAL)),
        Attack("s as n − s under another digest", play, "2 accepted, 1 digest", (OVER_THE_SIGNATURE,)),
        Attack("32 byte forms of one digest", play, "2 accepted, 1 digest", (CANONICAL,)),
        Attack("other spellings", partial(tried, court, others, forms.HARMLESS), "2 accepted, 1 digest", (CANONICAL,)),
        Attack("zeros between r and s", partial(tried, court, apart, set()), "0 accepted", LENGTHS),
    ]  # fmt: skip
