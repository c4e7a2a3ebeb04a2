// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {ILogAnchor} from "../interfaces/ILogAnchor.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Deciding} from "./Deciding.sol";
import {Tree} from "./Tree.sol";

/// @title LogAnchor: how an epoch ends; what comes after is in LogAnchorInvariants
contract EpochsTest is Deciding {
    bytes32 private constant STREAM = "certificate";

    function setUp() external {
        deploy();
        _publish(7);
    }

    function testFuzz_whatAClosedEpochKeeps(uint64 good) external {
        bytes32 log = anchor.logId(HANGZHOU, STREAM, 0);
        as_(HANGZHOU);
        if (good > 7) vm.expectRevert(abi.encodeWithSelector(ILogAnchor.BadLastGoodSize.selector, good, 7));
        anchor.closeEpoch(STREAM, good);
        ILogAnchor.Closing memory end = anchor.epochClosedAt(log);
        vm.assertTrue(end.closed == good <= 7, "closed");
        vm.assertEq(anchor.head(log).size, 7, "its newest head");
        vm.assertTrue(anchor.isHead(log, 7, Tree.leaf(7, 0), 0, number, time), "its history");
        if (good > 7) return;
        vm.assertTrue(end.lastGoodSize == good && end.blockNumber == number && end.time == time, "how it ended");
        vm.assertEq(anchor.currentEpoch(HANGZHOU, STREAM), 1, "epoch");
        bytes32 next = anchor.logId(HANGZHOU, STREAM, 1);
        vm.assertEq(anchor.head(next).size, 0, "a new log");
        _publish(3);
        vm.assertEq(anchor.head(next).size, 3, "its first head");
        vm.assertEq(anchor.head(log).size, 7, "the old one");
        vm.assertTrue(!anchor.epochClosedAt(next).closed, "open");
    }

    function test_nothingToClose() external {
        bytes32 log = anchor.logId(CHANGSHA, STREAM, 0);
        as_(CHANGSHA);
        vm.expectRevert(abi.encodeWithSelector(ILogAnchor.NothingToClose.selector, log));
        anchor.closeEpoch(STREAM, 0);
        vm.prank(hot(HANGZHOU));
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.NotGovernor.selector, hot(HANGZHOU)));
        anchor.closeEpoch(STREAM, 0);
    }

    function test_theCitiesCloseAnEpoch() external {
        bytes32 id = propose(CHANGSHA, _closing(address(anchor), 0));
        _undecided(id);
        approve(NANJING, id);
        _undecided(id);
        as_(CHANGSHA);
        registry.execute(id);
        vm.prank(STRANGER);
        anchor.closeEpochDecided(id);
        vm.assertEq(anchor.epochClosedAt(anchor.logId(HANGZHOU, STREAM, 0)).lastGoodSize, 5, "good");
        vm.expectRevert(abi.encodeWithSelector(ILogAnchor.NotCurrentEpoch.selector, 0, 1));
        anchor.closeEpochDecided(id);
    }

    /// @dev Of another kind, of another anchor, about another epoch, of a removed city, too late.
    function test_whichDecisionsAreNotTaken() external {
        _undecided(decide(CHANGSHA, NANJING, action(IGovernance.ActionKind.SUSPEND, HANGZHOU)));
        _undecided(decide(CHANGSHA, NANJING, _closing(address(status), 0)));
        _undecided("nothing");
        bytes32 later = decide(CHANGSHA, NANJING, _closing(address(anchor), 1));
        vm.expectRevert(abi.encodeWithSelector(ILogAnchor.NotCurrentEpoch.selector, 1, 0));
        anchor.closeEpochDecided(later);
        decide(CHANGSHA, NANJING, action(IGovernance.ActionKind.REMOVE, HANGZHOU));
        bytes32 late = decide(CHANGSHA, NANJING, _closing(address(anchor), 0));
        bytes32 timely = decide(CHANGSHA, NANJING, _closing(address(anchor), 0));
        pass(LIFETIME - 1, 1);
        anchor.closeEpochDecided(timely);
        pass(1, 1);
        _undecided(late);
    }

    function _closing(address anchor_, uint32 epoch) private pure returns (IGovernance.Action memory a) {
        a = action(IGovernance.ActionKind.CLOSE_EPOCH, HANGZHOU);
        (a.account, a.epoch, a.size, a.streamId) = (anchor_, epoch, 5, STREAM);
    }

    function _undecided(bytes32 id) private {
        vm.expectRevert(abi.encodeWithSelector(ILogAnchor.NotDecided.selector, id));
        anchor.closeEpochDecided(id);
    }

    /// @dev A first head: nobody checks whose tree it is.
    function _publish(uint64 size) private {
        bytes32 root = Tree.leaf(size, 0); // calls the precompile, which would take the prank
        vm.prank(hot(HANGZHOU));
        anchor.publish(STREAM, size, root, new bytes32[](0));
    }
}
