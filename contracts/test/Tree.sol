// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title RFC 9162 §2.1 read off its recursive definitions; shares no code with MerkleProof9162
/// @dev A tree is the leaf hashes [from, to) of a list.
library Tree {
    function leaf(uint256 salt, uint256 index) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"00", salt, index));
    }

    function node(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(hex"01", left, right));
    }

    /// @dev `count` leaves that no other salt has.
    function grown(uint256 salt, uint256 count) internal pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = leaf(salt, i);
        }
    }

    /// @dev MTH, §2.1.1.
    function root(bytes32[] memory leaves, uint256 from, uint256 to) internal pure returns (bytes32) {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + _split(to - from);
        return node(root(leaves, from, middle), root(leaves, middle, to));
    }

    /// @dev PATH(index, D[from:to]), §2.1.3.1.
    function inclusion(bytes32[] memory leaves, uint256 index, uint256 from, uint256 to)
        internal
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 k = _split(to - from);
        uint256 middle = from + k;
        if (index < k) return _with(inclusion(leaves, index, from, middle), root(leaves, middle, to));
        return _with(inclusion(leaves, index - k, middle, to), root(leaves, from, middle));
    }

    /// @dev PROOF(m, D[0:n]), §2.1.4.1.
    function consistency(bytes32[] memory leaves, uint256 m, uint256 n) internal pure returns (bytes32[] memory) {
        return _subproof(leaves, m, 0, n, true);
    }

    /// @dev SUBPROOF(m, D[from:to], whole), §2.1.4.1.
    function _subproof(bytes32[] memory leaves, uint256 m, uint256 from, uint256 to, bool whole)
        private
        pure
        returns (bytes32[] memory)
    {
        if (m == to - from) {
            return whole ? new bytes32[](0) : _with(new bytes32[](0), root(leaves, from, to));
        }
        uint256 k = _split(to - from);
        uint256 middle = from + k;
        if (m <= k) return _with(_subproof(leaves, m, from, middle, whole), root(leaves, middle, to));
        return _with(_subproof(leaves, m - k, middle, to, false), root(leaves, from, middle));
    }

    /// @dev The largest power of two smaller than n.
    function _split(uint256 n) private pure returns (uint256 k) {
        k = 1;
        while (k * 2 < n) k *= 2;
    }

    function _with(bytes32[] memory list, bytes32 last) private pure returns (bytes32[] memory longer) {
        longer = new bytes32[](list.length + 1);
        for (uint256 i = 0; i < list.length; ++i) {
            longer[i] = list[i];
        }
        longer[list.length] = last;
    }
}
