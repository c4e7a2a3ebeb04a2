// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {Base} from "./Base.sol";
import {Decisions} from "./drivers/Decisions.sol";

/// @title What holds after any sequence of the acts of drivers/Decisions
/// @dev That nothing is executed without its majority, and nothing refused that has it, is asserted by the acts.
contract DecisionsInvariants is Base {
    Decisions private acts;
    uint256[9] private seen; // cancelled, executed by kind, refused

    function setUp() external {
        acts = new Decisions();
    }

    /// @dev forge asks whom to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(acts);
    }

    function invariant_aCityIsActiveAsItWasDecided() external view {
        bool somebody = false;
        for (uint32 city = 1; city <= acts.MOST(); ++city) {
            vm.assertTrue(acts.isActive(city) == acts.on(city), "active");
            vm.assertTrue(acts.isRemoved(city) == acts.gone(city), "removed");
            vm.assertTrue(!acts.gone(city) || !acts.isActive(city), "a removed city is back");
            somebody = somebody || acts.isActive(city);
        }
        vm.assertTrue(somebody, "nobody is left");
    }

    function invariant_aGovernorChangesByDecisionOnly() external view {
        for (uint32 city = 1; city <= acts.MOST(); ++city) {
            vm.assertEq(acts.governorNow(city), acts.governorOf(city), "governor");
        }
    }

    function invariant_aTypeIsGrantedByDecisionOnly() external view {
        for (uint32 city = 1; city <= acts.MOST(); ++city) {
            vm.assertTrue(acts.mayGrant(city) == acts.granted(city), "scope");
        }
    }

    function invariant_whatIsOverStaysOver() external view {
        for (uint256 i = 0; i < acts.count(); ++i) {
            (IGovernance.ProposalState state, bool isOver) = acts.stateOf(acts.ids(i));
            vm.assertTrue(isOver == (state != IGovernance.ProposalState.OPEN), "state");
        }
    }

    /// @dev The properties above would hold if nothing ever happened: this run shows that everything does.
    function test_theActsReachEveryOutcome() external {
        for (uint256 i = 0; i < 600; ++i) {
            acts.make(draw(i, 0));
            acts.agree(draw(i, 1));
            acts.agree(draw(i, 2));
            acts.carryOut(draw(i, 3), i % 3 == 0);
            acts.carryOut(draw(i, 4), false);
            if (i % 8 == 0) acts.cancel(draw(i, 5));
            if (i % 60 == 59) acts = new Decisions(); // most cities have left by then
            if (i % 60 == 58) _tally();
        }
        for (uint8 kind = 1; kind <= 7; ++kind) {
            vm.assertTrue(seen[kind] > 0, "an action never executed");
        }
        vm.assertTrue(seen[0] > 0 && seen[8] > 100, "too tame");
    }

    function _tally() private {
        seen[0] += acts.cancelled();
        for (uint8 kind = 1; kind <= 7; ++kind) {
            seen[kind] += acts.executed(IGovernance.ActionKind(kind));
        }
        seen[8] += acts.refusals();
    }
}
