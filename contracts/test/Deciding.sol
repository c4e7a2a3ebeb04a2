// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Consortium} from "./Consortium.sol";

/// @title Proposals on their way from the first approval to the execution
abstract contract Deciding is Consortium {
    uint32 internal constant SUZHOU = 4;
    uint64 internal constant LIFETIME = 30 days;
    uint64 internal constant DELAY = 7 days;

    /// @dev An action with nothing but its kind and target.
    function action(IGovernance.ActionKind kind, uint32 city) internal pure returns (IGovernance.Action memory a) {
        (a.kind, a.city) = (kind, city);
    }

    function admission() internal pure returns (IGovernance.Action memory a) {
        a = action(IGovernance.ActionKind.ADMIT, SUZHOU);
        IMemberRegistry.Founder memory f = founder(SUZHOU);
        (a.division, a.account, a.hot, a.types) = (f.division, f.governor, f.hot, f.types);
        a.endpoint = "https://suzhou.example";
    }

    function rekey(uint32 city, address to) internal pure returns (IGovernance.Action memory a) {
        a = action(IGovernance.ActionKind.REKEY, city);
        a.account = to;
    }

    function scopes(IGovernance.ActionKind kind, uint32 city, bytes32 typeId)
        internal
        pure
        returns (IGovernance.Action memory a)
    {
        a = action(kind, city);
        a.types = new bytes32[](1);
        a.types[0] = typeId;
    }

    function propose(uint32 by, IGovernance.Action memory a) internal returns (bytes32) {
        as_(by);
        return registry.propose(a);
    }

    function approve(uint32 by, bytes32 id) internal {
        as_(by);
        registry.approve(id);
    }

    /// @dev Proposed and executed by one of the two cities, approved by the other.
    function decide(uint32 one, uint32 other, IGovernance.Action memory a) internal returns (bytes32 id) {
        id = propose(one, a);
        approve(other, id);
        as_(one);
        registry.execute(id);
    }

    /// @dev The city makes this call of the registry and gets this refusal.
    function refused(uint32 by, bytes memory call_, bytes memory refusal) internal {
        as_(by);
        (bool done, bytes memory answer) = address(registry).call(call_);
        vm.assertTrue(!done, "accepted");
        vm.assertEq(keccak256(answer), keccak256(refusal), "another refusal");
    }

    function cannotExecute(uint32 by, bytes32 id, bytes memory refusal) internal {
        refused(by, abi.encodeCall(registry.execute, (id)), refusal);
    }

    function active(uint32 city) internal view returns (bool) {
        return registry.cityActive(city, time, number);
    }
}
