// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry, ROLE_PUBLISH, ROLE_STATUS} from "../interfaces/IMemberRegistry.sol";
import {Term} from "../interfaces/ITerms.sol";
import {Terms} from "../Terms.sol";
import {Agencies} from "./Agencies.sol";

/// @title Accounts that act for a city or for one of its agencies
abstract contract Accounts is Agencies {
    using Terms for Terms.Timeline;

    mapping(address who => Terms.Timeline) private _accountTerms;

    /// @inheritdoc IMemberRegistry
    function addAccount(address account_, bytes32 agency, uint8 roles, uint64 from, uint64 to) external {
        uint32 own = _governedCity();
        if (agency != 0) _requireCode(agency, AGENCY_LENGTH);
        AccountRow memory row = AccountRow({city: own, roles: roles, agency: bytes18(agency)});
        uint64 start = _addAccount(account_, row, from, to);
        if (agency != 0) _requireMember(agency, own, start);
    }

    /// @inheritdoc IMemberRegistry
    function endAccount(address account_, uint64 to) external {
        if (_accounts[account_].city != _governedCity()) revert UnknownAccount(account_);
        uint64 stop = _accountTerms[account_].end(to);
        emit AccountEnded(account_, stop);
    }

    /// @inheritdoc IMemberRegistry
    function account(address who) external view returns (Account memory row, Term[] memory terms) {
        AccountRow memory stored = _accounts[who];
        row = Account({city: stored.city, roles: stored.roles, agency: stored.agency});
        terms = _accountTerms[who].all();
    }

    /// @inheritdoc IMemberRegistry
    function actsFor(address who, uint8 role) external view returns (uint32 cityId, bytes32 agency) {
        AccountRow memory row = _accounts[who];
        (cityId, agency) = (row.city, row.agency);
        (uint64 time, uint64 number) = (uint64(block.timestamp), uint64(block.number));
        bool active = row.roles & role != 0 && _accountTerms[who].covers(time, number) && _activeNow(cityId)
            && (agency == 0 || isMember(agency, cityId, time, number));
        if (!active) revert Unregistered(who);
    }

    function _addAccount(address who, AccountRow memory row, uint64 from, uint64 to) internal returns (uint64 start) {
        uint8 allowed = row.agency == 0 ? ROLE_PUBLISH | ROLE_STATUS : ROLE_STATUS;
        if (row.roles == 0 || row.roles & ~allowed != 0) revert BadRoles(row.roles);
        if (!_isSame(_accounts[who], row)) _claim(who, row);
        start = _accountTerms[who].open(from, to);
        emit AccountAdded(who, row.city, row.agency, row.roles, start, to);
    }

    function _isSame(AccountRow memory a, AccountRow memory b) private pure returns (bool) {
        return a.city == b.city && a.roles == b.roles && a.agency == b.agency;
    }
}
