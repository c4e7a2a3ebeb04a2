// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Consortium} from "./Consortium.sol";
import {Tree} from "./Tree.sol";

/// @title verifyInclusion and verifyConsistency on random trees, and on trees with every single bit turned
contract MerkleProofsTest is Consortium {
    uint256 private constant LARGEST = 140;

    function setUp() external {
        deploy();
    }

    function testFuzz_aTrueConsistencyProofIsAccepted(uint256 salt, uint256 m, uint256 n) external view {
        n = bound(n, 1, LARGEST);
        m = bound(m, 1, n);
        bytes32[] memory leaves = Tree.grown(salt, n);
        (bytes32 old, bytes32 whole) = (Tree.root(leaves, 0, m), Tree.root(leaves, 0, n));
        vm.assertTrue(_extends(m, n, old, whole, Tree.consistency(leaves, m, n)), "true statement refused");
    }

    function testFuzz_aTrueInclusionProofIsAccepted(uint256 salt, uint256 i, uint256 n) external view {
        n = bound(n, 1, LARGEST);
        i = bound(i, 0, n - 1);
        bytes32[] memory leaves = Tree.grown(salt, n);
        bytes32[] memory proof = Tree.inclusion(leaves, i, 0, n);
        vm.assertTrue(_contains(leaves[i], i, n, proof, Tree.root(leaves, 0, n)), "true statement refused");
    }

    /// @dev Bits of the proof, of both roots and of the old size. Not of the new size: RFC 9162 binds it in the head
    /// that names it, not in the tree; from 4 leaves, one hash leads to 5, 6, 7 or 8.
    function testFuzz_anyBitOfAConsistencyProofMatters(uint256 salt, uint256 m, uint256 n) external view {
        n = bound(n, 2, LARGEST);
        m = bound(m, 1, n - 1);
        bytes32[] memory leaves = Tree.grown(salt, n);
        (bytes32 old, bytes32 whole) = (Tree.root(leaves, 0, m), Tree.root(leaves, 0, n));
        bytes32[] memory proof = Tree.consistency(leaves, m, n);
        for (uint256 bit = 0; bit < 256; ++bit) {
            vm.assertTrue(!_extends(m, n, _turned(old, bit), whole, proof), "old root");
            vm.assertTrue(!_extends(m, n, old, _turned(whole, bit), proof), "new root");
            if (bit < 64) vm.assertTrue(!_extends(m ^ (1 << bit), n, old, whole, proof), "old size");
            for (uint256 i = 0; i < proof.length; ++i) {
                proof[i] = _turned(proof[i], bit);
                vm.assertTrue(!_extends(m, n, old, whole, proof), "proof");
                proof[i] = _turned(proof[i], bit);
            }
        }
        vm.assertTrue(_extends(m, n, old, whole, proof), "the unturned proof");
    }

    function testFuzz_anyBitOfAnInclusionProofMatters(uint256 salt, uint256 i, uint256 n) external view {
        n = bound(n, 1, LARGEST);
        i = bound(i, 0, n - 1);
        bytes32[] memory leaves = Tree.grown(salt, n);
        (bytes32 own, bytes32 whole) = (leaves[i], Tree.root(leaves, 0, n));
        bytes32[] memory proof = Tree.inclusion(leaves, i, 0, n);
        for (uint256 bit = 0; bit < 256; ++bit) {
            vm.assertTrue(!_contains(_turned(own, bit), i, n, proof, whole), "leaf");
            vm.assertTrue(!_contains(own, i, n, proof, _turned(whole, bit)), "root");
            if (bit < 64) vm.assertTrue(!_contains(own, i ^ (1 << bit), n, proof, whole), "index");
            for (uint256 j = 0; j < proof.length; ++j) {
                proof[j] = _turned(proof[j], bit);
                vm.assertTrue(!_contains(own, i, n, proof, whole), "proof");
                proof[j] = _turned(proof[j], bit);
            }
        }
    }

    /// @dev The last leaf of a tree, with its true proof, said to lie behind the end of one a leaf smaller.
    function testFuzz_noLeafLiesBehindTheLast(uint256 salt, uint256 n) external view {
        n = bound(n, 2, LARGEST);
        bytes32[] memory leaves = Tree.grown(salt, n);
        bytes32[] memory proof = Tree.inclusion(leaves, n - 1, 0, n);
        vm.assertTrue(!_contains(leaves[n - 1], n - 1, n - 1, proof, Tree.root(leaves, 0, n)), "behind the last");
    }

    /// @dev As above from 1 leaf, where the walk itself would come out right: only the comparison of index and size helps.
    function test_noSecondLeafInATreeOfOne() external view {
        bytes32[] memory leaves = Tree.grown(1, 2);
        bytes32[] memory proof = Tree.inclusion(leaves, 1, 0, 2);
        vm.assertTrue(!_contains(leaves[1], 1, 1, proof, Tree.root(leaves, 0, 2)), "behind the last");
    }

    function testFuzz_aProofHasItsLength(uint256 salt, uint256 m, uint256 n, bytes32 extra) external view {
        n = bound(n, 2, LARGEST);
        m = bound(m, 1, n - 1);
        bytes32[] memory leaves = Tree.grown(salt, n);
        (bytes32 old, bytes32 whole) = (Tree.root(leaves, 0, m), Tree.root(leaves, 0, n));
        bytes32[] memory proof = Tree.consistency(leaves, m, n);
        for (uint256 length = 0; length <= proof.length + 2; ++length) {
            bytes32[] memory other = new bytes32[](length);
            for (uint256 i = 0; i < length; ++i) {
                other[i] = i < proof.length ? proof[i] : extra;
            }
            vm.assertTrue(_extends(m, n, old, whole, other) == (length == proof.length), "length");
            bytes32[] memory path = Tree.inclusion(leaves, m, 0, n);
            vm.assertTrue(!_contains(leaves[m], m, n, _longer(path, extra), whole), "surplus");
        }
    }

    /// @dev Whatever is asked, up to the ends of uint64: an answer, never a revert, and never yes.
    function testFuzz_noiseIsNoProof(uint64 m, uint64 n, bytes32 a, bytes32 b, bytes32[] calldata proof) external view {
        bool trivial = m == n && m != 0 && a == b && proof.length == 0;
        vm.assertTrue(anchor.verifyConsistency(m, n, a, b, proof) == trivial, "consistency");
        trivial = m == 0 && n == 1 && a == b && proof.length == 0;
        vm.assertTrue(anchor.verifyInclusion(a, m, n, proof, b) == trivial, "inclusion");
    }

    /// @dev 2^64 - 1 leaves: at every level but the lowest the last node has a sibling on its left.
    function test_theLargestTree() external view {
        bytes32[] memory proof = new bytes32[](63);
        bytes32 root = Tree.leaf(0, 0);
        for (uint256 i = 0; i < 63; ++i) {
            proof[i] = bytes32(i);
            root = Tree.node(proof[i], root);
        }
        vm.assertTrue(anchor.verifyInclusion(Tree.leaf(0, 0), FOREVER - 1, FOREVER, proof, root), "last leaf");
        vm.assertTrue(!anchor.verifyInclusion(Tree.leaf(0, 0), FOREVER, FOREVER, proof, root), "one beyond");
        vm.assertTrue(!anchor.verifyInclusion(Tree.leaf(0, 0), FOREVER - 2, FOREVER, proof, root), "one before");
    }

    /// @dev From 2^63 leaves, one hash leads to any larger size.
    function test_theLargestHalf() external view {
        bytes32[] memory proof = new bytes32[](1);
        (bytes32 left, bytes32 whole) = (Tree.leaf(0, 0), Tree.node(Tree.leaf(0, 0), 0));
        vm.assertTrue(anchor.verifyConsistency(2 ** 63, FOREVER, left, whole, proof), "2^64 - 1");
        vm.assertTrue(anchor.verifyConsistency(2 ** 63, 2 ** 63 + 1, left, whole, proof), "2^63 + 1");
        vm.assertTrue(!anchor.verifyConsistency(FOREVER, FOREVER - 1, left, whole, proof), "shrinking");
        vm.assertTrue(!anchor.verifyConsistency(1, FOREVER, left, whole, proof), "from one leaf");
        vm.assertTrue(!anchor.verifyConsistency(FOREVER - 1, FOREVER, left, whole, proof), "by one leaf");
    }

    /// @dev A chain whose address 2 fails or answers too little: no conclusion, so a revert.
    function test_withoutSha256NothingIsConcluded() external {
        bytes32[] memory proof = new bytes32[](1);
        vm.mockCallRevert(address(2), "", "");
        vm.expectRevert(bytes(""));
        anchor.verifyConsistency(1, 2, 0, 0, proof);
        vm.mockCall(address(2), "", hex"00");
        vm.expectRevert(bytes(""));
        anchor.verifyConsistency(1, 2, 0, 0, proof);
    }

    function _extends(uint256 m, uint256 n, bytes32 old, bytes32 whole, bytes32[] memory proof)
        private
        view
        returns (bool)
    {
        return anchor.verifyConsistency(uint64(m), uint64(n), old, whole, proof);
    }

    function _contains(bytes32 own, uint256 i, uint256 n, bytes32[] memory proof, bytes32 whole)
        private
        view
        returns (bool)
    {
        return anchor.verifyInclusion(own, uint64(i), uint64(n), proof, whole);
    }

    function _turned(bytes32 word, uint256 bit) private pure returns (bytes32) {
        return word ^ bytes32(uint256(1) << bit);
    }

    function _longer(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
