// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IStatusRegistry} from "../interfaces/IStatusRegistry.sol";
import {Base} from "./Base.sol";
import {Statuses} from "./drivers/Statuses.sol";

/// @title What holds after any sequence of the acts of drivers/Statuses
/// @dev Which change is recorded, refused (with which code) or taken for a repeat is asserted by the acts themselves.
contract StatusInvariants is Base {
    Statuses private acts;

    function setUp() external {
        acts = new Statuses();
    }

    /// @dev forge asks whom to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(acts);
    }

    /// @dev Every record ever made stands unchanged, and there is none that the acts did not foresee.
    function invariant_recordsAreOnlyAdded() external view {
        (bytes32[] memory issuers, bytes32[] memory digests) = acts.places();
        for (uint256 i = 0; i < issuers.length; ++i) {
            for (uint256 j = 0; j < digests.length; ++j) {
                bytes32 standing = keccak256(abi.encode(acts.records(issuers[i], digests[j])));
                vm.assertEq(standing, keccak256(abi.encode(acts.expected(issuers[i], digests[j]))), "records");
            }
        }
    }

    function invariant_nothingFollowsAFinalStatus() external view {
        (bytes32[] memory issuers, bytes32[] memory digests) = acts.places();
        for (uint256 i = 0; i < issuers.length; ++i) {
            for (uint256 j = 0; j < digests.length; ++j) {
                IStatusRegistry.Record[] memory all = acts.records(issuers[i], digests[j]);
                for (uint256 k = 0; k + 1 < all.length; ++k) {
                    vm.assertTrue(all[k].status < uint8(IStatusRegistry.Status.REVOKED), "a final status was not final");
                }
            }
        }
    }

    /// @dev Asked around every record, as of every block with one: the last of the records known and in effect.
    function invariant_statusAtIsTheLastRecordKnownAndInEffect() external view {
        (bytes32[] memory issuers, bytes32[] memory digests) = acts.places();
        for (uint256 i = 0; i < issuers.length; ++i) {
            for (uint256 j = 0; j < digests.length; ++j) {
                IStatusRegistry.Record[] memory all = acts.records(issuers[i], digests[j]);
                for (uint256 k = 0; k < all.length; ++k) {
                    _compare(issuers[i], digests[j], all, all[k].effectiveFrom, all[k].recorded);
                    _compare(issuers[i], digests[j], all, all[k].effectiveFrom - 1, FOREVER);
                    _compare(issuers[i], digests[j], all, FOREVER, all[k].recorded - 1);
                }
            }
        }
    }

    /// @dev The properties above would hold if nothing ever happened: this run shows that everything does.
    function test_theActsReachEveryOutcome() external {
        for (uint256 i = 0; i < 60; ++i) {
            acts.set(draw(i, 0));
            acts.setMany(draw(i, 1), draw(i, 2));
            acts.trespass(address(uint160(draw(i, 3))), draw(i, 4));
            acts.retry(draw(i, 7));
            if (i % 7 == 6) acts.move(draw(i, 5), draw(i, 6));
        }
        for (uint8 code = 1; code <= uint8(type(IStatusRegistry.Refusal).max); ++code) {
            vm.assertTrue(acts.refusals(IStatusRegistry.Refusal(code)) > 0, "a refusal never met");
        }
        vm.assertTrue(acts.recorded() > 30, "too few records");
        vm.assertTrue(acts.repeated() > 30 && acts.trespasses() > 60, "too few repeats or strangers");
        this.invariant_recordsAreOnlyAdded();
        this.invariant_nothingFollowsAFinalStatus();
        this.invariant_statusAtIsTheLastRecordKnownAndInEffect();
    }

    function _compare(
        bytes32 issuer,
        bytes32 digest,
        IStatusRegistry.Record[] memory all,
        uint64 asked,
        uint64 asOfBlock
    ) private view {
        IStatusRegistry.Record memory last;
        for (uint256 k = 0; k < all.length; ++k) {
            if (all[k].recorded <= asOfBlock && all[k].effectiveFrom <= asked) last = all[k];
        }
        bytes32 answer = keccak256(abi.encode(acts.statusAt(issuer, digest, asked, asOfBlock)));
        vm.assertEq(answer, keccak256(abi.encode(last)), "statusAt");
    }
}
