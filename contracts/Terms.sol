// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ITerms, Term} from "./interfaces/ITerms.sol";

/// @title Terms: append-only, bitemporal periods
/// @notice Rules and units: see ITerms. Only one city's governor writes a timeline, and it holds a handful of records,
/// so the loops are plain: a governor who makes it long makes only its own calls dear.
library Terms {
    /// @dev A Term in one slot. The 32 bits that it leaves free hold, in record 0, the number of records: the common
    /// question to a list of one, "now?", then reads one slot, on the path that every head pays for.
    struct Stored {
        uint64 from;
        uint64 to;
        uint64 recorded;
        uint32 opens;
        uint32 count;
    }

    /// @dev A list of Terms, record by record.
    struct Timeline {
        mapping(uint256 index => Stored) records;
    }

    /// @dev As of a block that no record can lie behind: everything known now.
    uint64 private constant NOW = type(uint64).max;

    /// @notice Opens the period [from, to).
    /// @param from Unix seconds, not before the block's time; 0 = the block's time.
    /// @param to Unix seconds, after `from`; `type(uint64).max` = open-ended.
    /// @return start `from` with 0 resolved to the block's time.
    function open(Timeline storage line, uint64 from, uint64 to) internal returns (uint64 start) {
        uint64 present = uint64(block.timestamp);
        start = from == 0 ? present : from;
        if (start < present) revert ITerms.TermStartsInPast(start, present);
        if (to <= start) revert ITerms.TermEmpty(start, to);
        uint32 count = length(line);
        for (uint32 i = 0; i < count; ++i) {
            (, uint64 earlier) = _period(line, i, count, NOW);
            if (start < earlier) revert ITerms.TermOverlaps(start, earlier);
        }
        _push(line, count, start, to, count);
    }

    /// @notice Shortens whatever reaches beyond `to`: the running period ends at `to`, one that has not begun by then
    /// is cut to its own start and so never held.
    /// @param to Unix seconds, not before the block's time; 0 = the block's time.
    /// @return stop `to` with 0 resolved to the block's time.
    function end(Timeline storage line, uint64 to) internal returns (uint64 stop) {
        uint64 present = uint64(block.timestamp);
        stop = to == 0 ? present : to;
        if (stop < present) revert ITerms.TermEndsInPast(stop, present);
        uint32 before = length(line);
        uint32 count = before;
        for (uint32 i = 0; i < before; ++i) {
            (uint64 from, uint64 standing) = _period(line, i, count, NOW);
            if (standing > stop) _push(line, count++, from, stop < from ? from : stop, i);
        }
        if (count == before) revert ITerms.TermNothingToEnd(stop);
    }

    /// @notice Whether a period covers `time` (Unix seconds) as known at block `asOfBlock`.
    function covers(Timeline storage line, uint64 time, uint64 asOfBlock) internal view returns (bool) {
        uint32 count = length(line);
        for (uint32 i = 0; i < count; ++i) {
            (uint64 from, uint64 to) = _period(line, i, count, asOfBlock);
            if (from <= time && time < to) return true;
        }
        return false;
    }

    /// @notice Whether, as known now, a period covers `time` (Unix seconds) or any later second.
    function reaches(Timeline storage line, uint64 time) internal view returns (bool) {
        uint32 count = length(line);
        for (uint32 i = 0; i < count; ++i) {
            (, uint64 to) = _period(line, i, count, NOW);
            if (time < to) return true;
        }
        return false;
    }

    /// @notice Number of records.
    function length(Timeline storage line) internal view returns (uint32) {
        return line.records[0].count;
    }

    /// @notice All records, oldest first.
    function all(Timeline storage line) internal view returns (Term[] memory terms) {
        terms = new Term[](length(line));
        for (uint256 i = 0; i < terms.length; ++i) {
            Stored memory s = line.records[i];
            terms[i] = Term({from: s.from, to: s.to, recorded: s.recorded, opens: s.opens});
        }
    }

    /// @notice All records of `line`, and for each period a cut for whatever in `outer` ends the period of `outer` in
    /// which it begins: nothing inside outlasts what it was made in. Every period of `line` was opened within one of
    /// `outer`, which is the last that begins no later and was known by then, because periods never overlap.
    function within(Timeline storage line, Timeline storage outer) internal view returns (Term[] memory terms) {
        Term[] memory own = all(line);
        Term[] memory limits = all(outer);
        terms = new Term[](own.length * (1 + limits.length));
        uint256 count = own.length;
        for (uint32 i = 0; i < own.length; ++i) {
            terms[i] = own[i];
            if (own[i].opens != i) continue;
            uint32 period = _periodAt(limits, own[i].from, own[i].recorded);
            for (uint256 k = 0; k < limits.length; ++k) {
                Term memory limit = limits[k];
                if (limit.opens != period || limit.to >= own[i].to) continue;
                uint64 to = limit.to < own[i].from ? own[i].from : limit.to;
                uint64 recorded = limit.recorded < own[i].recorded ? own[i].recorded : limit.recorded;
                terms[count++] = Term({from: own[i].from, to: to, recorded: recorded, opens: i});
            }
        }
        // Shortens the array to what it holds.
        assembly ("memory-safe") { mstore(terms, count) }
    }

    /// @notice As `covers`, of records in memory.
    function holds(Term[] memory terms, uint64 time, uint64 asOfBlock) internal pure returns (bool) {
        for (uint256 i = 0; i < terms.length; ++i) {
            if (terms[i].opens != i || terms[i].recorded > asOfBlock || terms[i].from > time) continue;
            bool ended = false;
            for (uint256 k = i; k < terms.length; ++k) {
                Term memory record = terms[k];
                if (record.opens == i && record.recorded <= asOfBlock && record.to <= time) ended = true;
            }
            if (!ended) return true;
        }
        return false;
    }

    /// @dev Index of the last opening record known at `asOfBlock` that begins at `from` or before.
    function _periodAt(Term[] memory terms, uint64 from, uint64 asOfBlock) private pure returns (uint32 found) {
        for (uint32 i = 0; i < terms.length; ++i) {
            if (terms[i].opens == i && terms[i].from <= from && terms[i].recorded <= asOfBlock) found = i;
        }
    }

    /// @dev The period that record `index` opens, ending with the smallest `to` among it and its cuts known at
    /// `asOfBlock`. [0, 0), which covers nothing, if it opens none known by then or one that was cut to its own start.
    function _period(Timeline storage line, uint32 index, uint32 count, uint64 asOfBlock)
        private
        view
        returns (uint64 from, uint64 to)
    {
        Stored memory opening = line.records[index];
        if (opening.opens != index || opening.recorded > asOfBlock) return (0, 0);
        (from, to) = (opening.from, opening.to);
        for (uint256 i = uint256(index) + 1; i < count; ++i) {
            Stored memory s = line.records[i];
            if (s.opens == index && s.recorded <= asOfBlock && s.to < to) to = s.to;
        }
        if (from == to) return (0, 0);
    }

    function _push(Timeline storage line, uint32 index, uint64 from, uint64 to, uint32 opens) private {
        line.records[index] = Stored(from, to, uint64(block.number), opens, 0);
        line.records[0].count = index + 1;
    }
}
