// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @notice One record of an append-only, bitemporal list of periods. A record either opens a period or shortens one;
/// none is ever changed or removed, so "what was known at block b" stays answerable for ever.
/// @param from First second at which the period holds (Unix seconds, inclusive).
/// @param to First second at which it no longer holds (Unix seconds, exclusive); `type(uint64).max` = open-ended.
/// @param recorded Number of the block that recorded this.
/// @param opens Index of the opening record: its own index if it opens a period, else that of the period it shortens.
struct Term {
    uint64 from;
    uint64 to;
    uint64 recorded;
    uint32 opens;
}

/// @title The rules of periods, stated once for cities, scopes, accounts, agencies, accreditations and keys
/// @notice A period holds at `time` as known at `asOfBlock` if some opening record with `recorded <= asOfBlock` has
/// `from <= time` and `time` is before the smallest `to` among that record and its cuts with `recorded <= asOfBlock`.
/// @dev The past cannot be rewritten: a period starts and ends no earlier than the block that says so. Periods of one
/// list never overlap, so that ending "from `to` on" has one meaning; a follow-up may start where the last one ends. At
/// most one period has not begun, so that whoever has to end a list, be it another city's, ends two periods at most.
interface ITerms {
    /// @notice A period must not start before the block that records it.
    /// @param from Start asked for (Unix seconds).
    /// @param time Block time (Unix seconds).
    error TermStartsInPast(uint64 from, uint64 time);

    /// @notice A period must hold for at least one second.
    /// @param from Start asked for (Unix seconds).
    /// @param to End asked for (Unix seconds).
    error TermEmpty(uint64 from, uint64 to);

    /// @notice A new period must start at or after the end of every earlier period of the list.
    /// @param from Start asked for (Unix seconds).
    /// @param end End of the earlier period that it would overlap (Unix seconds).
    error TermOverlaps(uint64 from, uint64 end);

    /// @notice A period that has not begun stands at the end of the list: end it, or wait, before opening another.
    /// @param from Start asked for (Unix seconds).
    /// @param ahead Start of that period (Unix seconds).
    error TermAhead(uint64 from, uint64 ahead);

    /// @notice A period must not end before the block that ends it.
    /// @param to End asked for (Unix seconds).
    /// @param time Block time (Unix seconds).
    error TermEndsInPast(uint64 to, uint64 time);

    /// @notice No period of the list reaches beyond `to`: there is nothing to end.
    /// @param to End asked for (Unix seconds).
    error TermNothingToEnd(uint64 to);
}
