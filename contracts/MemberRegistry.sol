// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {Cities} from "./members/Cities.sol";
import {Governance} from "./members/Governance.sol";
import {Keys} from "./members/Keys.sol";
import {Successions} from "./members/Successions.sol";

/// @title MemberRegistry: who may act
/// @notice Read IMemberRegistry and IGovernance first: they are the specification. The founders are given here once;
/// whoever deploys has no role. `multicall` lets a governor set up an agency in one transaction: all of it or none.
/// @dev Nothing here is payable and nothing calls out except `multicall` into this contract itself, with the same
/// sender, so there is no reentrancy to guard against.
contract MemberRegistry is Governance, Keys, Successions, Multicall {
    uint256 private constant FOUNDERS_IN_PRODUCTION = 3;

    /// @param consortiumId_ Random, nonzero.
    /// @param founders Cities that exist from this block on: at least 3 in production, 1 in development.
    /// @param production_ Whether the rules of production are kept.
    constructor(bytes32 consortiumId_, Founder[] memory founders, bool production_) Cities(consortiumId_, production_) {
        uint256 needed = production_ ? FOUNDERS_IN_PRODUCTION : 1;
        if (founders.length < needed) revert TooFewFounders(founders.length, needed);
        for (uint256 i = 0; i < founders.length; ++i) {
            _found(founders[i]);
        }
    }
}
