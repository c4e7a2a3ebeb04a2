// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ITerms, Term} from "./interfaces/ITerms.sol";

/// @title Terms: append-only, bitemporal periods
/// @notice Rules and units: see ITerms. Every record says which period stood last after it, so the periods that stand
/// are a stack whose older states remain: opening pushes, ending takes off what has not begun and shortens what runs.
/// A question about now, an opening and an ending read and write a handful of slots, however long the history is: a
/// city that makes its timeline long makes nobody's calls dear. Only a question about an earlier block walks back.
library Terms {
    /// @dev A Term in one slot, and beside it `top`: the number, from 1 on, of the record that says how the last of
    /// the periods that stand ends, as known after this record; 0 = none stands. `count`, the number of records, is
    /// kept in record 0 only: the common question to a list of one, "now?", then reads one slot, on the path that
    /// every head pays for.
    struct Stored {
        uint64 from;
        uint64 to;
        uint56 recorded;
        uint24 opens;
        uint24 top;
        uint24 count;
    }

    /// @dev A list of Terms, record by record.
    struct Timeline {
        mapping(uint256 index => Stored) records;
    }

    /// @notice Opens the period [from, to).
    /// @param from Unix seconds, not before the block's time; 0 = the block's time.
    /// @param to Unix seconds, after `from`; `type(uint64).max` = open-ended.
    /// @return start `from` with 0 resolved to the block's time.
    function open(Timeline storage line, uint64 from, uint64 to) internal returns (uint64 start) {
        uint64 present = uint64(block.timestamp);
        start = from == 0 ? present : from;
        if (start < present) revert ITerms.TermStartsInPast(start, present);
        if (to <= start) revert ITerms.TermEmpty(start, to);
        uint24 count = _length(line);
        uint24 top = _topAfter(line, count);
        if (top != 0) {
            Stored memory last = line.records[top - 1];
            if (start < last.to) revert ITerms.TermOverlaps(start, last.to);
            if (present < last.from) revert ITerms.TermAhead(start, last.from);
        }
        _push(line, count, Stored(start, to, 0, count, count + 1, 0));
    }

    /// @notice Shortens whatever reaches beyond `to`, the last first: the running period ends at `to`, one that has
    /// not begun by then is cut to its own start and so never held.
    /// @param to Unix seconds, not before the block's time; 0 = the block's time.
    /// @return stop `to` with 0 resolved to the block's time.
    function end(Timeline storage line, uint64 to) internal returns (uint64 stop) {
        uint64 present = uint64(block.timestamp);
        stop = to == 0 ? present : to;
        if (stop < present) revert ITerms.TermEndsInPast(stop, present);
        uint24 count = _length(line);
        uint24 top = _topAfter(line, count);
        if (top == 0 || line.records[top - 1].to <= stop) revert ITerms.TermNothingToEnd(stop);
        do {
            Stored memory last = line.records[top - 1];
            bool begun = last.from < stop;
            top = begun ? count + 1 : _topAfter(line, last.opens);
            _push(line, count++, Stored(last.from, begun ? stop : last.from, 0, last.opens, top, 0));
        } while (top != 0 && line.records[top - 1].to > stop);
    }

    /// @notice As `end`, at the block's time.
    /// @dev Not end(line, 0): of a literal argument the compiler makes a copy of the whole function, 1.4 KB here.
    function endNow(Timeline storage line) internal returns (uint64 stop) {
        return end(line, uint64(block.timestamp));
    }

    /// @notice Whether a period covers `time` (Unix seconds) as known at block `asOfBlock`.
    function covers(Timeline storage line, uint64 time, uint64 asOfBlock) internal view returns (bool) {
        // A list of one, or none, is answered by the slot that holds its length.
        Stored memory first = line.records[0];
        uint24 known = first.count;
        if (known <= 1) return first.recorded <= asOfBlock && first.from <= time && time < first.to;
        while (known != 0 && line.records[known - 1].recorded > asOfBlock) --known;
        uint24 top = _topAfter(line, known);
        while (top != 0) {
            Stored memory last = line.records[top - 1];
            if (last.from <= time) return time < last.to;
            top = _topAfter(line, last.opens);
        }
        return false;
    }

    /// @notice Whether, as known now, a period covers `time` (Unix seconds) or any later second.
    function reaches(Timeline storage line, uint64 time) internal view returns (bool) {
        uint24 top = _topAfter(line, _length(line));
        return top != 0 && time < line.records[top - 1].to;
    }

    /// @notice Whether nothing was ever recorded.
    function isEmpty(Timeline storage line) internal view returns (bool) {
        return _length(line) == 0;
    }

    /// @notice All records, oldest first.
    function all(Timeline storage line) internal view returns (Term[] memory terms) {
        terms = new Term[](_length(line));
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

    function _length(Timeline storage line) private view returns (uint24) {
        return line.records[0].count;
    }

    /// @dev `top` as it was after the first `count` records. A period that stands was never opened anew below: what
    /// stood when it was opened stands unchanged, or an ending would have taken it off first.
    function _topAfter(Timeline storage line, uint24 count) private view returns (uint24) {
        return count == 0 ? 0 : line.records[count - 1].top;
    }

    function _push(Timeline storage line, uint24 index, Stored memory record) private {
        record.recorded = uint56(block.number);
        line.records[index] = record;
        line.records[0].count = index + 1;
    }
}
