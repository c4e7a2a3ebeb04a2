"""Change the contracts one place at a time, and see that a test fails: exit 1 naming the changes that none notices.

    python scripts/contract_mutations.py [NAME ...]     all rows of the table, or those whose name is given

Each mutant is a copy of the contracts, compiled and tested by forge: first the tests near the change, then, if none
failed, all. Ten seconds each on an idle machine; not part of CI. A mutant that does not compile is an error of the
table.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HANG = 1200  # seconds
NEAR = {
    "Terms.sol": "TermsTest|AgenciesTest|GovernanceTest",
    "members/Agencies.sol": "AgenciesTest|GovernanceTest",
    "members/Accounts.sol": "MembersTest|GovernanceTest",
    "members/Cities.sol": "MembersTest|GovernanceTest",
    "members/Keys.sol": "KeysTest",
    "members/Successions.sol": "SuccessionsTest",
    "members/Governance.sol": "GovernanceTest",
    "LogAnchor.sol": "LogAnchor|EpochsTest",
    "StatusRegistry.sol": "Status|SuccessionsTest",
    "MerkleProof9162.sol": "MerkleProof",
}
"""Test contracts, as forge matches them, that are likely to notice a change of a file."""


@dataclass(frozen=True, slots=True)
class Mutation:
    name: str
    file: str
    """Under contracts/."""
    original: str
    """Stands there exactly once."""
    mutated: str
    why: str
    """What would go wrong."""


MUTATIONS = (
    Mutation(
        "open-in-the-past",
        "Terms.sol",
        "if (start < present) revert",
        "if (start + 1 < present) revert",
        "the past could be rewritten",
    ),
    Mutation("empty-period", "Terms.sol", "if (to <= start) revert", "if (to < start) revert", "a period of no second"),
    Mutation(
        "overlap",
        "Terms.sol",
        "if (start < last.to) revert",
        "if (start + 1 < last.to) revert",
        "two periods hold at once",
    ),
    Mutation(
        "two-ahead",
        "Terms.sol",
        "if (present < last.from) revert",
        "if (present < 0) revert",
        "a city on its way out leaves periods without number",
    ),
    Mutation(
        "end-in-the-past",
        "Terms.sol",
        "if (stop < present) revert",
        "if (stop + 1 < present) revert",
        "the past could be rewritten",
    ),
    Mutation(
        "end-at-its-start",
        "Terms.sol",
        "bool begun = last.from < stop;",
        "bool begun = last.from <= stop;",
        "a cut to nothing would stand as the last period",
    ),
    Mutation(
        "end-the-last-only",
        "Terms.sol",
        "while (top != 0 && line.records[top - 1].to > stop);",
        "while (false);",
        "the running period goes on",
    ),
    Mutation(
        "stack-not-popped",
        "Terms.sol",
        "top = begun ? count + 1 : _topAfter(line, last.opens);",
        "top = begun ? count + 1 : 0;",
        "the period below is forgotten",
    ),
    Mutation(
        "known-too-early",
        "Terms.sol",
        "line.records[known - 1].recorded > asOfBlock",
        "line.records[known - 1].recorded >= asOfBlock",
        "a block does not know itself",
    ),
    Mutation(
        "known-from-the-first",
        "Terms.sol",
        "return first.recorded <= asOfBlock && first.from",
        "return first.from",
        "what was not recorded yet is known",
    ),
    Mutation("covers-its-end", "Terms.sol", "return time < last.to;", "return time <= last.to;", "a second too long"),
    Mutation("single-covers-its-end", "Terms.sol", "&& time < first.to", "&& time <= first.to", "a second too long"),
    Mutation(
        "reaches-its-end",
        "Terms.sol",
        "return top != 0 && time < line.records[top - 1].to;",
        "return top != 0 && time <= line.records[top - 1].to;",
        "an agency is kept a second too long",
    ),
    Mutation(
        "within-outlasts",
        "Terms.sol",
        "if (limit.opens != period || limit.to >= own[i].to) continue;",
        "continue;",
        "an accreditation outlives its scope",
    ),
    Mutation(
        "no-membership",
        "members/Agencies.sol",
        "        _requireMember(agency, own, start);\n        if (!inScope",
        "        if (!inScope",
        "accredited without being a member",
    ),
    Mutation(
        "no-scope",
        "members/Agencies.sol",
        "if (!inScope(own, typeId, start, uint64(block.number))) revert",
        "if (false) revert",
        "accredited for a type the city has not",
    ),
    Mutation(
        "taken-from-another",
        "members/Agencies.sol",
        "if (!cityRemoved(other)) revert",
        "if (false) revert",
        "an agency is taken from a city that is there",
    ),
    Mutation(
        "not-freed",
        "members/Agencies.sol",
        "uint64 stop = record.memberships[other].endNow();",
        "uint64 stop = uint64(block.timestamp);",
        "an agency in two cities at once",
    ),
    Mutation(
        "lapsed-blocks",
        "members/Agencies.sol",
        "        _endLapsed(agency, own, typeId);\n",
        "",
        "a type granted again cannot be accredited again",
    ),
    Mutation(
        "accredited-by-a-suspended-city",
        "members/Agencies.sol",
        "return cityActive(id, time, asOfBlock) && Terms",
        "return Terms",
        "a suspended city's agencies go on",
    ),
    Mutation("any-role", "members/Accounts.sol", "row.roles & role != 0 && ", "", "a publisher sets statuses"),
    Mutation(
        "ended-account",
        "members/Accounts.sol",
        "_accountTerms[who].covers(time, number) && ",
        "",
        "an ended account acts",
    ),
    Mutation(
        "suspended-city-acts",
        "members/Accounts.sol",
        "_activeNow(cityId)\n            && ",
        "",
        "a suspended city publishes",
    ),
    Mutation(
        "agency-account-stays",
        "members/Accounts.sol",
        "(agency == 0 || isMember(agency, cityId, time, number))",
        "true",
        "an account acts for an agency that has left",
    ),
    Mutation(
        "agency-publishes",
        "members/Accounts.sol",
        "row.agency == 0 ? ROLE_PUBLISH | ROLE_STATUS : ROLE_STATUS",
        "ROLE_PUBLISH | ROLE_STATUS",
        "an agency publishes its city's heads",
    ),
    Mutation(
        "account-of-another",
        "members/Cities.sol",
        "if (_accounts[who].city != 0) revert",
        "if (false) revert",
        "an address changes hands",
    ),
    Mutation(
        "governor-of-a-suspended-city",
        "members/Cities.sol",
        "governor != who || !_activeNow(id)",
        "governor != who",
        "a suspended governor votes",
    ),
    Mutation(
        "removed-stays-active",
        "members/Cities.sol",
        "        if (_activeNow(id)) record.terms.endNow();\n",
        "",
        "a removed city acts",
    ),
    Mutation(
        "compromise-forgotten",
        "members/Keys.sol",
        "report.recorded <= asOfBlock && report.since <= time",
        "report.recorded <= asOfBlock && report.since < time",
        "the second of the theft is trusted",
    ),
    Mutation(
        "key-taken-twice",
        "members/Keys.sol",
        "if (!record.terms.isEmpty()) revert",
        "if (false) revert",
        "a key changes hands",
    ),
    Mutation(
        "key-of-another-city",
        "members/Keys.sol",
        "if (record.row.city != _governedCity()) revert",
        "_governedCity(); if (record.row.city == 0) revert",
        "a governor ends another city's key",
    ),
    Mutation(
        "stale-offer",
        "members/Successions.sol",
        "(present == 0 || present == by)",
        "true",
        "an agency that moved is given away",
    ),
    Mutation(
        "chain-of-five",
        "members/Successions.sol",
        "ahead.length == MAX_CHAIN",
        "ahead.length > MAX_CHAIN",
        "a status change costs without bound",
    ),
    Mutation(
        "circle",
        "members/Successions.sol",
        "if (ahead[i] == agency) loops = true;",
        "if (ahead[i] == agency) loops = false;",
        "agencies succeed each other in a circle",
    ),
    Mutation(
        "half-is-a-majority",
        "members/Governance.sol",
        "uint256 majority = voters / 2 + 1;",
        "uint256 majority = (voters + 1) / 2;",
        "two of four decide",
    ),
    Mutation(
        "alone-of-two",
        "members/Governance.sol",
        "return voters == 1 || majority > 2 ? majority : 2;",
        "return majority;",
        "one approval would do where nobody has a vote",
    ),
    Mutation(
        "votes-of-the-replaced",
        "members/Governance.sol",
        "_cities[given.city].row.governor == given.governor && _activeNow",
        "_activeNow",
        "a stolen key's votes count",
    ),
    Mutation(
        "votes-of-the-suspended",
        "members/Governance.sol",
        "given.governor && _activeNow(given.city)",
        "given.governor",
        "who has left counts",
    ),
    Mutation(
        "no-expiry",
        "members/Governance.sol",
        "if (block.timestamp >= record.row.expires) revert",
        "if (block.timestamp > record.row.expires) revert",
        "a second too long",
    ),
    Mutation(
        "no-delay",
        "members/Governance.sol",
        "if (block.timestamp < record.row.due) revert",
        "if (false) revert",
        "a governor is replaced before it can defend itself",
    ),
    Mutation(
        "executed-again",
        "members/Governance.sol",
        "        record.row.state = ProposalState.EXECUTED;\n",
        "",
        "a proposal is executed twice",
    ),
    Mutation(
        "vote-about-oneself",
        "members/Governance.sol",
        "if (own == target) revert",
        "if (false) revert",
        "a city votes about itself",
    ),
    Mutation(
        "gone-returns",
        "members/Governance.sol",
        "if (cityRemoved(target)) revert",
        "if (false) revert",
        "a removed city is reinstated",
    ),
    Mutation(
        "anybody-cancels",
        "members/Governance.sol",
        "if (_cities[record.action.city].row.governor != msg.sender) revert",
        "if (false) revert",
        "anybody keeps a lost governor in office",
    ),
    Mutation(
        "stale-accepted",
        "LogAnchor.sol",
        "if (size < latest.size) return Refusal.STALE;",
        "",
        "a log shrinks, or reverts",
    ),
    Mutation(
        "growth",
        "LogAnchor.sol",
        "size - latest.size > MAX_GROWTH",
        "size - latest.size >= MAX_GROWTH",
        "one leaf too few",
    ),
    Mutation(
        "too-soon",
        "LogAnchor.sol",
        "block.timestamp - latest.time < minInterval",
        "block.timestamp - latest.time <= minInterval",
        "a second too late",
    ),
    Mutation(
        "unproven",
        "LogAnchor.sol",
        "return grows ? Refusal.NONE : Refusal.BAD_PROOF;",
        "return grows || size > 50 ? Refusal.NONE : Refusal.BAD_PROOF;",
        "a log is rewritten",
    ),
    Mutation(
        "late-head-of-a-closed-epoch",
        "LogAnchor.sol",
        "return last.size == size && last.root == root;",
        "return false;",
        "a repeated head becomes the first of the next epoch",
    ),
    Mutation(
        "good-beyond-the-end",
        "LogAnchor.sol",
        "if (lastGoodSize > latest.size) revert",
        "if (false) revert",
        "entries that are not there stand",
    ),
    Mutation(
        "undecided",
        "LogAnchor.sol",
        "&& row.state == IGovernance.ProposalState.EXECUTED && ",
        "&& ",
        "one city's proposal closes another's epoch",
    ),
    Mutation(
        "history-of-another-size",
        "LogAnchor.sol",
        "return keccak256(abi.encode(log, size));",
        "return keccak256(abi.encode(log, size / 2));",
        "two sizes share a slot",
    ),
    Mutation(
        "anybody-sets",
        "StatusRegistry.sol",
        "if (sender.agency != 0) return sender.agency == issuer;",
        "if (sender.agency != 0) return true;",
        "an agency writes under another",
    ),
    Mutation(
        "final-is-not",
        "StatusRegistry.sol",
        "if (current > uint8(Status.SUSPENDED)) return false;",
        "if (current > uint8(Status.REVOKED)) return false;",
        "revoked is undone",
    ),
    Mutation(
        "from-the-future",
        "StatusRegistry.sol",
        "return change.effectiveFrom < block.timestamp && change",
        "return change",
        "a status from tomorrow on",
    ),
    Mutation(
        "repeat-is-recorded",
        "StatusRegistry.sol",
        "if (entitled && _repeats(newest, change)) return;",
        "",
        "a repeat is refused aloud",
    ),
    Mutation(
        "next-is-itself",
        "StatusRegistry.sol",
        "change.nextDigest != 0 && !itself;",
        "change.nextDigest != 0;",
        "a certificate is replaced by itself",
    ),
    Mutation(
        "unknown-status-at",
        "StatusRegistry.sol",
        "if (s.recorded <= asOfBlock && s.effectiveFrom <= time)",
        "if (s.effectiveFrom <= time)",
        "what was not recorded yet is known",
    ),
    Mutation(
        "proof-too-long",
        "MerkleProof9162.sol",
        "return i == proof.length && fr == root1",
        "return fr == root1",
        "a proof with hashes to spare",
    ),
    Mutation(
        "inclusion-beyond",
        "MerkleProof9162.sol",
        "if (index >= size) return false;",
        "if (index > size) return false;",
        "a leaf behind the last",
    ),
    Mutation(
        "first-root-unchecked", "MerkleProof9162.sol", "fr == root1 && sr == root2", "sr == root2", "another history"
    ),
    Mutation(
        "silent-precompile",
        "MerkleProof9162.sol",
        "if iszero(and(answered, eq(returndatasize(), 32))) { revert(0, 0) }",
        "",
        "a hash that nobody computed",
    ),
)


def main() -> int:
    parser = argparse.ArgumentParser(description="Change the contracts one place at a time; a test must fail.")
    parser.add_argument("names", nargs="*", help="rows of the table (default: all)")
    names = parser.parse_args().names
    wrong = []
    for mutation in [m for m in MUTATIONS if not names or m.name in names]:
        begun = time.monotonic()
        killer = killed_by(mutation)
        print(
            f"{mutation.name:<32} {time.monotonic() - begun:6.1f} s  {killer or 'SURVIVED: ' + mutation.why}",
            flush=True,
        )
        wrong += [] if killer else [mutation.name]
    print(
        f"{len(MUTATIONS)} mutations in the table, {len(wrong)} of those tried survived: {', '.join(wrong) or 'none'}"
    )
    return 1 if wrong else 0


def killed_by(mutation: Mutation) -> str:
    """The first test that fails on the mutant; empty if none does."""
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder)
        shutil.copytree(ROOT / "contracts", copy / "contracts", ignore=shutil.ignore_patterns("out", "cache"))
        (copy / "scripts").mkdir()
        shutil.copy(ROOT / "scripts" / "solc", copy / "scripts" / "solc")
        (copy / "node_modules").symlink_to(ROOT / "node_modules")
        source = copy / "contracts" / mutation.file
        text = source.read_text(encoding="utf-8")
        if text.count(mutation.original) != 1:
            raise SystemExit(
                f"{mutation.name}: its text stands {text.count(mutation.original)} times in {mutation.file}"
            )
        source.write_text(text.replace(mutation.original, mutation.mutated), encoding="utf-8")
        for tests in (["--match-contract", NEAR[mutation.file]], []):
            ran = forge(copy, "test", "--fail-fast", *tests)
            failed = [line.strip() for line in ran.stdout.splitlines() if line.startswith("[FAIL")]
            if failed:
                return failed[0][:110]
            if ran.returncode:
                raise SystemExit(f"{mutation.name}: does not compile\n{ran.stdout[-2000:]}{ran.stderr}")
        return ""


def forge(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    path = [str(ROOT / "node_modules" / ".bin"), str(Path(sys.executable).parent), os.environ.get("PATH", "")]
    environment = {
        "PATH": os.pathsep.join(path),
        "FOUNDRY_CONFIG": "contracts/foundry.toml",
        "FOUNDRY_PROFILE": "traced",
    }
    binary = str(ROOT / "node_modules" / ".bin" / "forge")
    return subprocess.run(
        [binary, *command, "--root", "."],
        cwd=folder, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=HANG,
    )  # fmt: skip


if __name__ == "__main__":
    raise SystemExit(main())
