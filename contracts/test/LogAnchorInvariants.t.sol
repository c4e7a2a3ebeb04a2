// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILogAnchor} from "../interfaces/ILogAnchor.sol";
import {Base} from "./Base.sol";
import {Publishing} from "./drivers/Publishing.sol";

/// @title What holds after any sequence of the acts of drivers/Publishing
/// @dev That a head is accepted only from an account of its city, and that no sound sender is ever reverted, is
/// asserted by the acts themselves.
contract LogAnchorInvariants is Base {
    Publishing private acts;

    function setUp() external {
        acts = new Publishing();
    }

    /// @dev forge asks whom to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(acts);
    }

    /// @dev Also: nothing but what the acts saw accepted ever moved a head, so no city's head by another's sender.
    function invariant_theNewestHeadIsTheLargestAccepted() external view {
        for (uint256 i = 0; i < acts.acceptedCount(); ++i) {
            Publishing.Accepted memory a = _accepted(i);
            ILogAnchor.Head memory newest = acts.head(a.log);
            vm.assertTrue(a.size <= newest.size, "a log shrank");
            vm.assertEq(newest.size, acts.sizeOf(a.log), "a head that nobody saw");
            vm.assertEq(newest.root, acts.rootOf(a.log, newest.size), "a root that nobody saw");
        }
    }

    function invariant_whatWasAHeadStaysOne() external view {
        for (uint256 i = 0; i < acts.acceptedCount(); ++i) {
            Publishing.Accepted memory a = _accepted(i);
            vm.assertTrue(acts.isHead(a, a.root), "a head is gone");
        }
    }

    function invariant_aSizeHasOneRoot() external view {
        for (uint256 i = 0; i < acts.acceptedCount(); ++i) {
            Publishing.Accepted memory a = _accepted(i);
            vm.assertEq(acts.rootOf(a.log, a.size), a.root, "a second root was accepted");
            vm.assertTrue(!acts.isHead(a, ~a.root), "another root passes");
        }
    }

    /// @dev However hostile the acts between: the heads of an honest log are the roots of one tree.
    function invariant_everyHeadIsAPrefixOfOneTree() external view {
        bytes32[] memory logs = acts.honestLogs();
        for (uint256 i = 0; i < logs.length; ++i) {
            ILogAnchor.Head memory newest = acts.head(logs[i]);
            vm.assertEq(newest.root, acts.treeRoot(logs[i], newest.size), "not the tree's root");
            if (newest.prevSize == 0) continue;
            vm.assertEq(
                acts.rootOf(logs[i], newest.prevSize), acts.treeRoot(logs[i], newest.prevSize), "the one before"
            );
        }
    }

    /// @dev The properties above would hold if nothing ever happened: this run shows that everything does.
    function test_theActsReachEveryOutcome() external {
        bytes32[] memory proof = new bytes32[](1);
        for (uint256 i = 0; i < 40; ++i) {
            acts.grow(draw(i, 0), draw(i, 1), draw(i, 2), draw(i, 3));
            acts.many(draw(i, 4), draw(i, 5), draw(i, 6));
            acts.fork(draw(i, 7), draw(i, 8), draw(i, 9), draw(i, 10));
            acts.trespass(draw(i, 11), draw(i, 12), draw(i, 13), address(uint160(draw(i, 14))));
            acts.repeat(draw(i, 15));
            if (i < 3) acts.anything(draw(i, 16), 7, bytes32(i), proof);
            acts.anything(draw(i, 16), i % 2 == 0 ? 7 : 0, bytes32(i), new bytes32[](0));
            if (i % 5 == 4) acts.toggle(draw(i, 17));
            if (i % 5 == 3) acts.close(draw(i, 18), draw(i, 19));
        }
        for (uint8 code = 1; code <= uint8(type(ILogAnchor.Refusal).max); ++code) {
            vm.assertTrue(acts.refusals(ILogAnchor.Refusal(code)) > 0, "a refusal never met");
        }
        vm.assertTrue(acts.acceptedCount() > 20 && acts.trespasses() > 40, "too little happened");
    }

    function _accepted(uint256 i) private view returns (Publishing.Accepted memory a) {
        (a.log, a.size, a.root, a.prevSize, a.number, a.time) = acts.accepted(i);
    }
}
