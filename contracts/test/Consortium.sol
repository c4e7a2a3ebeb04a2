// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry, ROLE_PUBLISH, ROLE_STATUS} from "../interfaces/IMemberRegistry.sol";
import {LogAnchor} from "../LogAnchor.sol";
import {MemberRegistry} from "../MemberRegistry.sol";
import {StatusRegistry} from "../StatusRegistry.sol";
import {Base} from "./Base.sol";

/// @title Three cities in production, each with a governor and a hot account
abstract contract Consortium is Base {
    uint32 internal constant HANGZHOU = 1;
    uint32 internal constant CHANGSHA = 2;
    uint32 internal constant NANJING = 3;
    uint32 internal constant CITIES = 3;
    uint64 internal constant MIN_INTERVAL = 4;
    bytes32 internal constant NAME = keccak256("consortium");
    bytes32 internal constant TYPE_A = "11100000000013338W011";
    bytes32 internal constant TYPE_B = "11100000000013338W032";
    bytes32 internal constant AGENCY_A = "11330105002500287C";
    bytes32 internal constant AGENCY_B = "11430000006122244L";
    address internal constant STRANGER = address(0x57A4);

    MemberRegistry internal registry;
    LogAnchor internal anchor;
    StatusRegistry internal status;

    function governor(uint32 city) internal pure returns (address) {
        return address(uint160(0x60000 + city));
    }

    function hot(uint32 city) internal pure returns (address) {
        return address(uint160(0x70000 + city));
    }

    function founder(uint32 city) internal pure returns (IMemberRegistry.Founder memory f) {
        (f.city, f.division, f.governor) = (city, 100_000 + city, governor(city));
        f.hot = new address[](1);
        f.hot[0] = hot(city);
        f.types = new bytes32[](1);
        f.types[0] = TYPE_A;
    }

    function founders(uint32 count) internal pure returns (IMemberRegistry.Founder[] memory all) {
        all = new IMemberRegistry.Founder[](count);
        for (uint32 i = 0; i < count; ++i) {
            all[i] = founder(i + 1);
        }
    }

    function deploy() internal {
        tick();
        registry = newRegistry(NAME, founders(CITIES), true);
        anchor = newAnchor(MIN_INTERVAL);
        status = StatusRegistry(deployed("StatusRegistry", abi.encode(registry)));
        pass(1, 1);
    }

    function newRegistry(bytes32 name, IMemberRegistry.Founder[] memory all, bool production)
        internal
        returns (MemberRegistry)
    {
        return MemberRegistry(deployed("MemberRegistry", abi.encode(name, all, production)));
    }

    function newAnchor(uint64 minInterval) internal returns (LogAnchor) {
        return LogAnchor(deployed("LogAnchor", abi.encode(registry, minInterval)));
    }

    /// @dev The next call comes from the city's governor.
    function as_(uint32 city) internal {
        vm.prank(governor(city));
    }

    /// @dev Hangzhou's governor makes this call of the registry and gets this refusal.
    function refused(bytes memory call_, bytes memory refusal) internal {
        as_(HANGZHOU);
        (bool done, bytes memory answer) = address(registry).call(call_);
        vm.assertTrue(!done, "accepted");
        vm.assertEq(keccak256(answer), keccak256(refusal), "another refusal");
    }

    function unregistered(address who) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberRegistry.Unregistered.selector, who);
    }
}
