"""Step 6, INCLUSION: the statement is the leaf at this index of the tree whose head the bundle names."""

from __future__ import annotations

from certs.verify.finding import failed, passed
from certs.verify.material import Material
from certs.verify.reasons import Reason
from ledger.commitment import statement_leaf
from ledger.errors import CanonicalError, VerificationError
from ledger.merkle import verify_inclusion
from ledger.verdict import Finding


def check(material: Material) -> Finding:
    bundle, head = material.bundle, material.bundle.head
    compared = {"index": bundle.index, "size": head.size, "root": head.root.hex()}
    try:
        leaf = statement_leaf(material.statement.encode(), bundle.salt)
        verify_inclusion(leaf_hash=leaf, index=bundle.index, size=head.size, proof=bundle.proof, root=head.root)
    except (VerificationError, CanonicalError) as error:
        return failed(Reason.INCLUSION_PROOF, problem=error.code, **compared)
    # Only the first head that covers a leaf gives its time; a later one would make it look younger.
    if bundle.index < head.prev_size:
        return failed(Reason.INCLUSION_NOT_FIRST_HEAD, prev_size=head.prev_size, **compared)
    return passed(Reason.INCLUSION_OK, **compared)
