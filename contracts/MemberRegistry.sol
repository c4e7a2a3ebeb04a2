// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Multicall} from "@openzeppelin/contracts/utils/Multicall.sol";
import {ROLE_PUBLISH, ROLE_STATUS} from "./interfaces/IMemberRegistry.sol";
import {Accounts} from "./members/Accounts.sol";
import {Cities} from "./members/Cities.sol";
import {Keys} from "./members/Keys.sol";

/// @title MemberRegistry: who may act
/// @notice Read IMemberRegistry first: it is the specification. The founders are given here once; whoever deploys has
/// no role. `multicall` lets a governor set up an agency in one transaction: either all of it holds or none.
/// @dev Nothing here is payable and nothing calls out except `multicall` into this contract itself, with the same
/// sender, so there is no reentrancy to guard against.
contract MemberRegistry is Accounts, Keys, Multicall {
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

    function _found(Founder memory founder) private {
        uint32 id = founder.city;
        _admit(id, founder.division, founder.governor);
        for (uint256 i = 0; i < founder.types.length; ++i) {
            _grant(id, founder.types[i]);
        }
        for (uint256 i = 0; i < founder.hot.length; ++i) {
            _addAccount(
                founder.hot[i], AccountRow({city: id, roles: ROLE_PUBLISH | ROLE_STATUS, agency: 0}), 0, OPEN_ENDED
            );
        }
        if (bytes(founder.endpoint).length != 0) _setEndpoint(id, founder.endpoint);
    }
}
