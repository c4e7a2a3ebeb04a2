// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ITerms, Term} from "./interfaces/ITerms.sol";

/// @title Terms: append-only, bitemporal periods
/// @notice Rules and units: see ITerms. Only one city's governor writes a list, and it holds a handful of records, so
/// the loops are plain: a governor who makes a list long makes only its own calls dear.
library Terms {
    /// @dev As of a block that no record can lie behind: everything known now.
    uint64 private constant NOW = type(uint64).max;

    /// @notice Opens the period [from, to).
    /// @param from Unix seconds, not before the block's time; 0 = the block's time.
    /// @param to Unix seconds, after `from`; `type(uint64).max` = open-ended.
    /// @return start `from` with 0 resolved to the block's time.
    function open(Term[] storage terms, uint64 from, uint64 to) internal returns (uint64 start) {
        uint64 present = uint64(block.timestamp);
        start = from == 0 ? present : from;
        if (start < present) revert ITerms.TermStartsInPast(start, present);
        if (to <= start) revert ITerms.TermEmpty(start, to);
        uint32 count = uint32(terms.length);
        for (uint32 i = 0; i < count; ++i) {
            uint64 earlier = _endOf(terms, i, NOW);
            if (start < earlier) revert ITerms.TermOverlaps(start, earlier);
        }
        terms.push(Term({from: start, to: to, recorded: uint64(block.number), opens: count}));
    }

    /// @notice Shortens whatever reaches beyond `to`: the running period ends at `to`, one that has not begun by then
    /// is cut to its own start and so never held.
    /// @param to Unix seconds, not before the block's time; 0 = the block's time.
    /// @return stop `to` with 0 resolved to the block's time.
    function end(Term[] storage terms, uint64 to) internal returns (uint64 stop) {
        uint64 present = uint64(block.timestamp);
        stop = to == 0 ? present : to;
        if (stop < present) revert ITerms.TermEndsInPast(stop, present);
        uint32 count = uint32(terms.length);
        for (uint32 i = 0; i < count; ++i) {
            if (_endOf(terms, i, NOW) <= stop) continue;
            uint64 from = terms[i].from;
            terms.push(
                Term({from: from, to: stop < from ? from : stop, recorded: uint64(block.number), opens: i})
            );
        }
        if (terms.length == count) revert ITerms.TermNothingToEnd(stop);
    }

    /// @notice Whether a period covers `time` (Unix seconds) as known at block `asOfBlock`.
    function covers(Term[] storage terms, uint64 time, uint64 asOfBlock) internal view returns (bool) {
        uint256 count = terms.length;
        for (uint32 i = 0; i < count; ++i) {
            if (time < _endOf(terms, i, asOfBlock) && terms[i].from <= time) return true;
        }
        return false;
    }

    /// @notice Whether, as known now, a period covers `time` (Unix seconds) or any later second.
    function reaches(Term[] storage terms, uint64 time) internal view returns (bool) {
        uint256 count = terms.length;
        for (uint32 i = 0; i < count; ++i) {
            if (time < _endOf(terms, i, NOW)) return true;
        }
        return false;
    }

    /// @dev End of the period that record `index` opens: the smallest among it and its cuts known at `asOfBlock`.
    /// 0 if it opens none known by then, or one that was cut to its own start.
    function _endOf(Term[] storage terms, uint32 index, uint64 asOfBlock) private view returns (uint64 to) {
        Term memory opening = terms[index];
        if (opening.opens != index || opening.recorded > asOfBlock) return 0;
        to = opening.to;
        uint256 count = terms.length;
        for (uint256 i = uint256(index) + 1; i < count; ++i) {
            Term memory term = terms[i];
            if (term.opens == index && term.recorded <= asOfBlock && term.to < to) to = term.to;
        }
        if (to == opening.from) return 0;
    }
}
