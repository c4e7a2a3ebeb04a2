// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ITerms, Term} from "../interfaces/ITerms.sol";
import {Terms} from "../Terms.sol";
import {Base} from "./Base.sol";

/// @title One timeline, callable
contract Timeline {
    using Terms for Terms.Timeline;

    Terms.Timeline private _line;

    function open(uint64 from, uint64 to) external returns (uint64) {
        return _line.open(from, to);
    }

    function end(uint64 to) external returns (uint64) {
        return _line.end(to);
    }

    function covers(uint64 time, uint64 asOfBlock) external view returns (bool) {
        return _line.covers(time, asOfBlock);
    }

    function reaches(uint64 time) external view returns (bool) {
        return _line.reaches(time);
    }

    function all() external view returns (Term[] memory) {
        return _line.all();
    }
}

/// @title Terms against a reference that keeps no periods at all
/// @dev The reference is a bit per second and one such row per block: opening [from, to) sets its bits, ending at `to`
/// clears all bits from `to` on, what was known at a block is the row as it stood after that block.
contract TermsTest is Base {
    uint256 private constant SECONDS = 200;
    uint256 private constant BLOCKS = 40;

    Timeline private line;
    uint256[BLOCKS] private known;
    uint256 private opened;
    uint256 private ended;
    uint256 private refused;
    uint256 private newest; // second at which the period that was opened last begins

    function setUp() external {
        line = new Timeline();
        tick();
    }

    function testFuzz_anyHistoryAnswersLikeTheReference(uint256 seed) external {
        _live(seed, 16);
        _compareAtEdges();
    }

    /// @dev The same for one long history, in which every kind of act surely occurs.
    function test_aLongHistory() external {
        for (uint256 i = 0; i < 6; ++i) {
            _live(i, 24);
            _compareAtEdges();
            (line, time, number) = (new Timeline(), GENESIS, 1);
            delete known;
            newest = 0;
            tick();
        }
        vm.assertTrue(opened > 10 && ended > 10 && refused > 10, "too tame a history");
    }

    function testFuzz_noRecordIsEverChanged(uint256 seed) external {
        bytes32[] memory before;
        for (uint256 i = 0; i < 12; ++i) {
            _live(draw(seed, i), 2);
            Term[] memory terms = line.all();
            for (uint256 j = 0; j < before.length; ++j) {
                vm.assertEq(keccak256(abi.encode(terms[j])), before[j], "record changed");
            }
            before = new bytes32[](terms.length);
            for (uint256 j = 0; j < terms.length; ++j) {
                before[j] = keccak256(abi.encode(terms[j]));
            }
        }
    }

    function testFuzz_theEndsOfUint64(uint64 now_, uint64 from, uint64 to, uint64 asked) external {
        vm.warp(now_);
        uint64 start = from == 0 ? now_ : from;
        bool sound = start >= now_ && to > start;
        if (!sound) vm.expectRevert();
        line.open(from, to);
        vm.assertTrue(line.covers(asked, FOREVER) == (sound && start <= asked && asked < to), "covers");
        vm.assertTrue(line.reaches(asked) == (sound && asked < to), "reaches");
        vm.assertTrue(!line.covers(asked, 0), "before it was recorded");
    }

    function test_refusalsNameTheirNumbers() external {
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermStartsInPast.selector, GENESIS - 1, GENESIS));
        line.open(GENESIS - 1, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermEmpty.selector, GENESIS + 1, GENESIS + 1));
        line.open(GENESIS + 1, GENESIS + 1);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermEmpty.selector, GENESIS, 0));
        line.open(0, 0);
        line.open(GENESIS + 5, GENESIS + 9);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermOverlaps.selector, GENESIS + 8, GENESIS + 9));
        line.open(GENESIS + 8, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermAhead.selector, GENESIS + 9, GENESIS + 5));
        line.open(GENESIS + 9, FOREVER);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermEndsInPast.selector, GENESIS - 1, GENESIS));
        line.end(GENESIS - 1);
        vm.expectRevert(abi.encodeWithSelector(ITerms.TermNothingToEnd.selector, GENESIS + 9));
        line.end(GENESIS + 9);
        pass(5, 1);
        line.open(GENESIS + 9, FOREVER); // the other one runs
    }

    /// @dev However long the history, an act and a question about now cost what they cost after a short one.
    function test_aLongHistoryIsNotDear() external {
        uint256 short = _costAfter(2);
        vm.assertTrue(_costAfter(200) < short + 100, "dearer"); // less than one slot read more
        vm.assertTrue(line.all().length > 800, "no history");
    }

    /// @dev Gas of an opening, a question and an ending, after rounds of all kinds. All slots but the new are warm.
    function _costAfter(uint256 rounds) private returns (uint256 cost) {
        for (uint256 i = 0; i < rounds; ++i) {
            line.open(0, FOREVER);
            pass(1, 1);
            line.end(time + 5);
            line.open(time + 7, FOREVER);
            line.end(0);
        }
        cost = gasleft();
        line.open(0, time + 9);
        line.covers(time, FOREVER);
        line.reaches(time);
        line.end(time + 1);
        cost -= gasleft();
        pass(1, 1);
    }

    function _live(uint256 seed, uint256 acts) private {
        for (uint256 i = 0; i < acts; ++i) {
            uint256 dice = draw(seed, i);
            uint256 blocks = dice % 2;
            if (number + blocks >= BLOCKS || time + 5 >= GENESIS + SECONDS) return;
            for (uint256 b = 1; b <= blocks; ++b) {
                known[number + b] = known[number + b - 1];
            }
            pass(blocks == 0 ? 0 : 1 + (dice >> 8) % 5, blocks);
            uint256 second = time - GENESIS + (dice >> 16) % 12;
            if ((dice >> 24) % 3 == 0) _end(second);
            else _open(second, (dice >> 32) % 3 == 0 ? SECONDS : second + (dice >> 40) % 20);
        }
    }

    /// @dev Sound unless it overlaps, or another that was opened before it stands and has not begun.
    /// Seconds count from GENESIS; SECONDS and later stand for "open-ended".
    function _open(uint256 from, uint256 to) private {
        bool ahead = newest > time - GENESIS && known[number] >> newest & 1 == 1;
        bool sound = to > from && known[number] >> from == 0 && !ahead;
        try line.open(GENESIS + uint64(from), to >= SECONDS ? FOREVER : GENESIS + uint64(to)) {
            vm.assertTrue(sound, "opened what overlaps");
            known[number] |= _from(from) & ~(to >= SECONDS ? 0 : _from(to));
            newest = from;
            ++opened;
        } catch {
            vm.assertTrue(!sound, "refused a sound period");
            ++refused;
        }
    }

    function _end(uint256 to) private {
        bool sound = known[number] >> to != 0;
        try line.end(GENESIS + uint64(to)) {
            vm.assertTrue(sound, "ended nothing");
            known[number] &= ~_from(to);
            ++ended;
        } catch {
            vm.assertTrue(!sound, "refused a sound end");
            ++refused;
        }
    }

    /// @dev An answer can change at an edge of some record only, so these seconds and those before them say it all.
    function _compareAtEdges() private view {
        Term[] memory terms = line.all();
        for (uint256 i = 0; i < terms.length; ++i) {
            _compareAround(terms[i].from);
            if (terms[i].to != FOREVER) _compareAround(terms[i].to);
        }
        _compareAround(GENESIS + uint64(SECONDS) - 1);
    }

    function _compareAround(uint64 edge) private view {
        for (uint64 s = edge - GENESIS; s + 1 >= edge - GENESIS; --s) {
            for (uint64 b = 0; b <= number; ++b) {
                vm.assertTrue(line.covers(GENESIS + s, b) == (known[b] >> s & 1 == 1), "covers");
            }
            vm.assertTrue(line.reaches(GENESIS + s) == (known[number] >> s != 0), "reaches");
            if (s == 0) return;
        }
    }

    /// @dev All bits from `s` on, as far as the row goes.
    function _from(uint256 s) private pure returns (uint256) {
        return (type(uint256).max << s);
    }
}
