// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStatusRegistry, REASON_ANNULLED, REASON_OTHER} from "../interfaces/IStatusRegistry.sol";
import {Consortium} from "./Consortium.sol";

/// @title StatusRegistry at the ends of its ranges; its behaviour over time is in StatusInvariants
contract StatusRegistryTest is Consortium {
    uint256 private constant BLOCK_GAS = 30_000_000;

    function setUp() external {
        deploy();
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
    }

    function test_itsConstants() external view {
        vm.assertEq(address(status.registry()), address(registry), "registry");
        vm.assertEq(status.consortiumId(), NAME, "consortium");
    }

    function testFuzz_setStatusManyNeverReverts(IStatusRegistry.Change[] calldata changes) external {
        uint256 count = changes.length < 200 ? changes.length : 200;
        IStatusRegistry.Change[] memory first = new IStatusRegistry.Change[](count);
        for (uint256 i = 0; i < count; ++i) {
            first[i] = changes[i];
            if (i % 2 == 0) first[i].issuer = AGENCY_A;
        }
        vm.prank(hot(HANGZHOU));
        status.setStatusMany{gas: BLOCK_GAS}(first);
        vm.prank(hot(HANGZHOU));
        status.setStatusMany{gas: BLOCK_GAS}(first);
    }

    /// @dev 200 new records with a next certificate each, four slots a record.
    function test_theDearestListFitsIntoABlock() external {
        IStatusRegistry.Change[] memory changes = new IStatusRegistry.Change[](200);
        for (uint256 i = 0; i < 200; ++i) {
            changes[i] = IStatusRegistry.Change(AGENCY_A, bytes32(i + 1), 5, REASON_OTHER, 0, AGENCY_A, bytes32(i + 2));
        }
        vm.prank(hot(HANGZHOU));
        status.setStatusMany{gas: BLOCK_GAS}(changes);
        vm.assertEq(status.records(AGENCY_A, bytes32(uint256(200))).length, 1, "the last one");
    }

    function test_theListHasAnEnd() external {
        vm.prank(hot(HANGZHOU));
        vm.expectRevert(abi.encodeWithSelector(IStatusRegistry.TooManyItems.selector, 201, 200));
        status.setStatusMany(new IStatusRegistry.Change[](201));
    }

    /// @dev Only an annulment may reach back, as far as it likes, and never into the future.
    function testFuzz_howFarAChangeReachesBack(uint64 from, uint16 reason, uint8 status_) external {
        status_ = uint8(bound(status_, 1, 4));
        IStatusRegistry.Change memory c = IStatusRegistry.Change(AGENCY_A, "digest", status_, reason, from, 0, 0);
        vm.prank(hot(HANGZHOU));
        status.setStatus(c);
        bool back = status_ == 3 && reason == REASON_ANNULLED;
        bool sound = status_ != 2 && reason != 0 && (from == 0 || from == time || (from < time && back));
        vm.assertEq(status.records(AGENCY_A, "digest").length, sound ? 1 : 0, "records");
        uint64 start = from == 0 ? time : from;
        vm.assertEq(status.statusAt(AGENCY_A, "digest", start, number).status, sound ? status_ : 0, "from then on");
        vm.assertEq(status.statusAt(AGENCY_A, "digest", start - 1, FOREVER).status, 0, "before");
        vm.assertEq(status.statusAt(AGENCY_A, "digest", FOREVER, number - 1).status, 0, "not known yet");
    }
}
