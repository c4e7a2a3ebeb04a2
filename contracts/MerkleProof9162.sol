// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title MerkleProof9162: inclusion and consistency proofs of RFC 9162 §2.1, SHA-256
/// @notice Strict: a proof with one hash too many or too few is wrong, so every true statement has exactly one proof.
/// @dev fn, sn, fr and sr are the RFC's: the numbers of the first and of the last node on a level, and the roots built
/// so far. The RFC's one loop is two here. While fn != sn the last node lies to the right: each level takes one hash.
/// Once fn == sn both are the last node of their level, which has a sibling, on its left, only if it is odd: levels
/// with an even fn take no hash. The RFC skips them with an inner loop; sn == 0 at its end is fn == sn == 0 here.
/// `unchecked`: sizes are at least 1 where 1 is subtracted, and i stays at or below the length of the proof.
library MerkleProof9162 {
    /// @notice RFC 9162 §2.1.3.2. Units and result: see ILogAnchor.verifyInclusion.
    function verifyInclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata proof, bytes32 root)
        internal
        view
        returns (bool)
    {
        if (index >= size) return false;
        unchecked {
            (uint256 fn, uint256 sn) = (uint256(index), uint256(size) - 1);
            bytes32 r = leafHash;
            uint256 i = 0;
            for (; fn != sn; (fn >>= 1, sn >>= 1)) {
                if (i == proof.length) return false;
                bytes32 c = _at(proof, i++);
                r = fn & 1 == 1 ? _node(c, r) : _node(r, c);
            }
            for (; fn != 0; fn >>= 1) {
                if (fn & 1 == 0) continue;
                if (i == proof.length) return false;
                r = _node(_at(proof, i++), r);
            }
            return i == proof.length && r == root;
        }
    }

    /// @notice RFC 9162 §2.1.4.2. Units and result: see ILogAnchor.verifyConsistency.
    function verifyConsistency(uint64 size1, uint64 size2, bytes32 root1, bytes32 root2, bytes32[] calldata proof)
        internal
        view
        returns (bool)
    {
        if (size1 == 0 || size1 > size2) return false;
        if (size1 == size2) return proof.length == 0 && root1 == root2;
        if (proof.length == 0) return false;
        unchecked {
            (uint256 fn, uint256 sn) = (uint256(size1) - 1, uint256(size2) - 1);
            for (; fn & 1 == 1; fn >>= 1) {
                sn >>= 1;
            }
            // A first tree of 2^k leaves is one node of the second, so the proof need not repeat its root.
            (bytes32 fr, uint256 i) = fn == 0 ? (root1, 0) : (_at(proof, 0), 1);
            bytes32 sr = fr;
            for (; fn != sn; (fn >>= 1, sn >>= 1)) {
                if (i == proof.length) return false;
                bytes32 c = _at(proof, i++);
                if (fn & 1 == 1) (fr, sr) = (_node(c, fr), _node(c, sr));
                else sr = _node(sr, c);
            }
            for (; fn != 0; fn >>= 1) {
                if (fn & 1 == 0) continue;
                if (i == proof.length) return false;
                bytes32 c = _at(proof, i++);
                (fr, sr) = (_node(c, fr), _node(c, sr));
            }
            return i == proof.length && fr == root1 && sr == root2;
        }
    }

    /// @dev proof[i] without a check of its own: each caller has compared i with the length just before.
    function _at(bytes32[] calldata proof, uint256 i) private pure returns (bytes32 hash) {
        assembly ("memory-safe") { hash := calldataload(add(proof.offset, shl(5, i))) }
    }

    /// @dev SHA-256(0x01 ‖ left ‖ right) by the precompile at address 2. In assembly because Solidity's sha256 copies
    /// its input into fresh memory each time; this reuses 65 bytes behind the free memory pointer and leaves the
    /// pointer alone. Without an answer of 32 bytes (no such precompile, no gas left) nothing may be concluded.
    function _node(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore8(scratch, 1)
            mstore(add(scratch, 1), left)
            mstore(add(scratch, 33), right)
            let answered := staticcall(gas(), 2, scratch, 65, 0, 32)
            if iszero(and(answered, eq(returndatasize(), 32))) { revert(0, 0) }
            hash := mload(0)
        }
    }
}
