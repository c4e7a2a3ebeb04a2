// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILogAnchor} from "../interfaces/ILogAnchor.sol";
import {Consortium} from "./Consortium.sol";
import {Tree} from "./Tree.sol";

/// @title LogAnchor at the ends of its ranges; its behaviour over time is in LogAnchorInvariants
contract LogAnchorTest is Consortium {
    bytes32 private constant STREAM = "certificate";
    uint256 private constant BLOCK_GAS = 30_000_000;

    function setUp() external {
        deploy();
    }

    function test_itsConstants() external view {
        vm.assertEq(address(anchor.registry()), address(registry), "registry");
        vm.assertEq(anchor.consortiumId(), NAME, "consortium");
        vm.assertEq(anchor.minInterval(), MIN_INTERVAL, "interval");
        vm.assertEq(anchor.currentEpoch(HANGZHOU, STREAM), 0, "epoch");
    }

    /// @dev Any list of up to 64 items, as wild as forge makes them.
    function testFuzz_publishManyNeverReverts(ILogAnchor.Item[] calldata items) external {
        ILogAnchor.Item[] memory first = new ILogAnchor.Item[](items.length < 64 ? items.length : 64);
        for (uint256 i = 0; i < first.length; ++i) {
            first[i] = items[i];
        }
        for (uint256 twice = 0; twice < 2; ++twice) {
            pass(MIN_INTERVAL, 1);
            vm.prank(hot(HANGZHOU));
            anchor.publishMany{gas: BLOCK_GAS}(first);
        }
    }

    /// @dev 64 items of 64 hashes, every one hashed as far as a proof between such sizes can go.
    function test_theDearestListFitsIntoABlock() external {
        ILogAnchor.Item[] memory items = new ILogAnchor.Item[](64);
        for (uint256 i = 0; i < 64; ++i) {
            items[i] = ILogAnchor.Item(bytes32(i), 2 ** 32 - 1, keccak256(abi.encode(i)), new bytes32[](0));
        }
        _publishMany(items);
        for (uint256 i = 0; i < 64; ++i) {
            (items[i].size, items[i].proof) = (2 ** 33 - 1, new bytes32[](64));
        }
        _publishMany(items);
        vm.assertEq(anchor.head(anchor.logId(HANGZHOU, 0, 0)).size, 2 ** 32 - 1, "unproven");
    }

    function test_theListHasAnEnd() external {
        vm.prank(hot(HANGZHOU));
        vm.expectRevert(abi.encodeWithSelector(ILogAnchor.TooManyItems.selector, 65, 64));
        anchor.publishMany(new ILogAnchor.Item[](65));
    }

    function testFuzz_aFirstHead(uint64 size, bytes32 root, uint8 hashes) external {
        bool sound = size != 0 && size <= 2 ** 32 && hashes == 0;
        _publish(size, root, new bytes32[](hashes));
        ILogAnchor.Head memory newest = anchor.head(anchor.logId(HANGZHOU, STREAM, 0));
        vm.assertEq(newest.size, sound ? size : 0, "size");
        vm.assertEq(newest.root, sound ? root : bytes32(0), "root");
    }

    /// @dev Growth by 2^32 is possible, with a real proof; by one more it is not.
    function testFuzz_growthAtItsLimit(uint256 salt, bool beyond) external {
        (bytes32 left, bytes32 right) = (Tree.leaf(salt, 0), Tree.leaf(salt, 1));
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = right;
        _publish(2 ** 32, left, new bytes32[](0));
        pass(MIN_INTERVAL, 1);
        _publish(beyond ? 2 ** 33 + 1 : 2 ** 33, Tree.node(left, right), proof);
        vm.assertEq(anchor.head(anchor.logId(HANGZHOU, STREAM, 0)).size, beyond ? 2 ** 32 : 2 ** 33, "size");
    }

    /// @dev An interval that never ends freezes a log at its first head; nothing overflows.
    function testFuzz_theLongestInterval(uint64 later) external {
        anchor = newAnchor(FOREVER);
        _publish(1, Tree.leaf(0, 0), new bytes32[](0));
        pass(bound(later, 0, FOREVER - time), 1);
        bytes32[] memory proof = new bytes32[](1);
        proof[0] = Tree.leaf(0, 1);
        _publish(2, Tree.node(Tree.leaf(0, 0), proof[0]), proof);
        vm.assertEq(anchor.head(anchor.logId(HANGZHOU, STREAM, 0)).size, 1, "size");
    }

    function testFuzz_whatWasNeverPublishedIsNoHead(
        bytes32 log,
        uint64 size,
        bytes32 root,
        uint64 prevSize,
        uint64 block_,
        uint64 time_
    ) external view {
        vm.assertTrue(!anchor.isHead(log, size, root, prevSize, block_, time_), "head from nowhere");
    }

    function testFuzz_logIdsDiffer(uint32 a, bytes32 s, uint32 e, uint32 b, bytes32 t, uint32 f) external view {
        bool same = a == b && s == t && e == f;
        vm.assertTrue((anchor.logId(a, s, e) == anchor.logId(b, t, f)) == same, "log id");
    }

    function _publish(uint64 size, bytes32 root, bytes32[] memory proof) private {
        vm.prank(hot(HANGZHOU));
        anchor.publish(STREAM, size, root, proof);
    }

    function _publishMany(ILogAnchor.Item[] memory items) private {
        pass(MIN_INTERVAL, 1);
        vm.prank(hot(HANGZHOU));
        anchor.publishMany{gas: BLOCK_GAS}(items);
    }
}
