// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILogAnchor} from "./interfaces/ILogAnchor.sol";

/// @title MerkleProof9162: inclusion and consistency proofs of RFC 9162 §2.1, SHA-256
/// @notice Strict: a proof with one hash too many or too few is wrong, so every statement has exactly one proof.
/// @dev The names fn, sn, fr, sr and the order of the steps are the RFC's. The loops are `unchecked`: their counters
/// stay below the proof's length, and sizes are only shifted right.
library MerkleProof9162 {
    /// @notice RFC 9162 §2.1.3.2. Units and result: see ILogAnchor.verifyInclusion.
    function verifyInclusion(
        bytes32 leafHash,
        uint64 index,
        uint64 size,
        bytes32[] calldata proof,
        bytes32 root
    ) internal view returns (bool) {
        if (index >= size) return false;
        uint256 fn = index;
        uint256 sn = uint256(size) - 1;
        bytes32 r = leafHash;
        unchecked {
            for (uint256 i = 0; i < proof.length; ++i) {
                if (sn == 0) return false;
                if (fn & 1 == 1 || fn == sn) {
                    r = _node(proof[i], r);
                    while (fn & 1 == 0 && fn != 0) {
                        fn >>= 1;
                        sn >>= 1;
                    }
                } else {
                    r = _node(r, proof[i]);
                }
                fn >>= 1;
                sn >>= 1;
            }
        }
        return sn == 0 && r == root;
    }

    /// @notice RFC 9162 §2.1.4.2. Units and result: see ILogAnchor.verifyConsistency.
    function verifyConsistency(
        uint64 size1,
        uint64 size2,
        bytes32 root1,
        bytes32 root2,
        bytes32[] calldata proof
    ) internal view returns (bool) {
        if (size1 == 0 || size1 > size2) return false;
        if (size1 == size2) return proof.length == 0 && root1 == root2;
        uint256 fn = uint256(size1) - 1;
        uint256 sn = uint256(size2) - 1;
        unchecked {
            while (fn & 1 == 1) {
                fn >>= 1;
                sn >>= 1;
            }
            // The old tree is a whole subtree of the new one exactly if nothing of fn is left (size1 = 2^k): the proof
            // then starts at the old root, which its first hash need not repeat.
            uint256 i = fn == 0 ? 0 : 1;
            if (proof.length == 0) return false;
            bytes32 fr = fn == 0 ? root1 : proof[0];
            bytes32 sr = fr;
            for (; i < proof.length; ++i) {
                if (sn == 0) return false;
                if (fn & 1 == 1 || fn == sn) {
                    fr = _node(proof[i], fr);
                    sr = _node(proof[i], sr);
                    while (fn & 1 == 0 && fn != 0) {
                        fn >>= 1;
                        sn >>= 1;
                    }
                } else {
                    sr = _node(sr, proof[i]);
                }
                fn >>= 1;
                sn >>= 1;
            }
            return sn == 0 && fr == root1 && sr == root2;
        }
    }

    /// @dev SHA-256(0x01 ‖ left ‖ right). In assembly because Solidity's sha256 copies its input into fresh memory each
    /// time; this reuses 65 bytes behind the free memory pointer and leaves the pointer alone.
    function _node(bytes32 left, bytes32 right) private view returns (bytes32 hash) {
        bool done;
        assembly ("memory-safe") {
            let scratch := mload(0x40)
            mstore8(scratch, 0x01)
            mstore(add(scratch, 1), left)
            mstore(add(scratch, 33), right)
            done := staticcall(gas(), 2, scratch, 65, 0, 32)
            done := and(done, eq(returndatasize(), 32))
            hash := mload(0)
        }
        if (!done) revert ILogAnchor.NoSha256();
    }
}
