// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Consortium} from "./Consortium.sol";

/// @title MemberRegistry: keys
contract KeysTest is Consortium {
    bytes32 private constant THUMB = keccak256("thumbprint");

    function setUp() external {
        deploy();
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
    }

    /// @dev Any combination of suite, use, owner and coordinates: accepted exactly if the table of IMemberRegistry.Key
    /// allows it.
    function testFuzz_whichKeysAreSound(uint8 suite, uint8 use, bool ofAgency, uint8 missing) external {
        IMemberRegistry.Key memory k = _key(ofAgency ? AGENCY_A : bytes32(0));
        k.suite = IMemberRegistry.Suite(bound(suite, 0, 2));
        k.use = IMemberRegistry.KeyUse(bound(use, 0, 6));
        if (missing & 1 == 1) k.thumbprint = 0;
        if (missing & 2 == 2) k.x = 0;
        if (missing & 4 == 4) k.y = 0;
        bool whole = missing & 3 == 0;
        bool point = k.suite == IMemberRegistry.Suite.P256 && k.y != 0 && k.use != IMemberRegistry.KeyUse.HEAD;
        bool edwards = k.suite == IMemberRegistry.Suite.ED25519 && k.y == 0 && k.use == IMemberRegistry.KeyUse.HEAD;
        bool owned = k.use != IMemberRegistry.KeyUse.NONE && (ofAgency || k.use != IMemberRegistry.KeyUse.CERT);
        bool sound = whole && owned && (point || edwards);
        if (!sound) vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.BadKey.selector, k.thumbprint));
        as_(HANGZHOU);
        registry.addKey(k, 0, FOREVER);
        vm.assertTrue(registry.keyValid(k.thumbprint, time, number) == sound, "valid");
    }

    /// @dev Valid exactly inside the period, up to the earliest compromise, as far as known.
    function testFuzz_whenAKeyIsToBeTrusted(uint64 end, uint64 since, bool ended, bool lost) external {
        _add(_key(AGENCY_A), "");
        uint64 start = time;
        pass(10, 1);
        uint64 before = number - 1;
        end = time + uint64(bound(end, 0, 20));
        since = uint64(bound(since, start - 5, time));
        if (ended) {
            as_(HANGZHOU);
            registry.endKey(THUMB, end);
        }
        if (lost) {
            as_(HANGZHOU);
            registry.compromiseKey(THUMB, since);
        }
        for (uint64 asked = start - 10; asked < start + 40; ++asked) {
            bool held = asked >= start && (!ended || asked < end) && (!lost || asked < since);
            vm.assertTrue(registry.keyValid(THUMB, asked, number) == held, "as known now");
            vm.assertTrue(registry.keyValid(THUMB, asked, before) == (asked >= start), "as known before");
        }
        (,, IMemberRegistry.Compromise[] memory reports) = registry.key(THUMB);
        vm.assertEq(reports.length, lost ? 1 : 0, "reports");
    }

    function test_aCertificateKeyHasAnAgency() external {
        _add(_key(0), abi.encodeWithSelector(IMemberRegistry.BadKey.selector, THUMB));
        IMemberRegistry.Key memory k = _key(0);
        k.x = 0;
        _add(k, abi.encodeWithSelector(IMemberRegistry.BadKey.selector, THUMB));
        k = _key(0);
        k.use = IMemberRegistry.KeyUse.WITNESS;
        _add(k, "");
        vm.assertTrue(registry.keyValid(THUMB, time, number), "a city's own key");
    }

    function test_aThumbprintIsTakenForEver() external {
        _add(_key(AGENCY_A), "");
        as_(HANGZHOU);
        registry.endKey(THUMB, 0);
        _add(_key(AGENCY_A), abi.encodeWithSelector(IMemberRegistry.KeyTaken.selector, THUMB));
    }

    function test_aKeyBelongsToTheSendersCity() external {
        IMemberRegistry.Key memory k = _key(AGENCY_A);
        k.city = CHANGSHA;
        _add(k, abi.encodeWithSelector(IMemberRegistry.WrongCity.selector, CHANGSHA, HANGZHOU));
        k = _key(AGENCY_B);
        _add(k, abi.encodeWithSelector(IMemberRegistry.AgencyNotMember.selector, AGENCY_B, HANGZHOU, time));
        _add(_key(AGENCY_A), "");
        as_(CHANGSHA);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.UnknownKey.selector, THUMB));
        registry.endKey(THUMB, 0);
        as_(HANGZHOU);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.CompromiseInFuture.selector, time + 1, time));
        registry.compromiseKey(THUMB, time + 1);
    }

    function _key(bytes32 agency) private pure returns (IMemberRegistry.Key memory k) {
        (k.thumbprint, k.city, k.agency) = (THUMB, HANGZHOU, agency);
        (k.suite, k.use) = (IMemberRegistry.Suite.P256, IMemberRegistry.KeyUse.CERT);
        (k.x, k.y) = (bytes32(uint256(1)), bytes32(uint256(2)));
    }

    function _add(IMemberRegistry.Key memory k, bytes memory refusal) private {
        if (refusal.length != 0) vm.expectRevert(refusal);
        as_(HANGZHOU);
        registry.addKey(k, 0, FOREVER);
    }
}
