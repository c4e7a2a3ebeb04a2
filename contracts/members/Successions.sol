// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Agencies} from "./Agencies.sol";

/// @title Who may set statuses in the place of an agency that is gone
abstract contract Successions is Agencies {
    /// @dev Longest chain of successors. A status change is sent with a fixed limit of gas, and walks all of it.
    uint256 private constant MAX_CHAIN = 4;

    mapping(bytes32 agency => Succession) private _successions;

    /// @inheritdoc IMemberRegistry
    function nameSuccessor(bytes32 agency, bytes32 successor) external {
        uint32 own = _governedCity();
        _requireMember(agency, own, uint64(block.timestamp));
        if (successor != 0) _requireCode(successor, AGENCY_LENGTH);
        Succession storage s = _successions[agency];
        if (s.accepted != 0) revert SuccessionDone(agency, s.successor);
        (s.successor, s.city) = (successor, own);
        emit SuccessorNamed(agency, successor, own);
    }

    /// @inheritdoc IMemberRegistry
    function acceptSuccession(bytes32 agency, bytes32 successor) external {
        uint32 own = _governedCity();
        _requireMember(successor, own, uint64(block.timestamp));
        Succession storage s = _successions[agency];
        if (s.accepted != 0) revert SuccessionDone(agency, s.successor);
        if (s.successor != successor || !_isNamedStill(agency, s.city)) revert NotNamed(agency, successor);
        _requireNoLoop(agency, successor);
        (s.accepted, s.recorded) = (uint64(block.timestamp), uint64(block.number));
        emit SuccessionAccepted(agency, successor, own);
    }

    /// @inheritdoc IMemberRegistry
    function succession(bytes32 agency) external view returns (Succession memory) {
        return _successions[agency];
    }

    /// @inheritdoc IMemberRegistry
    function successors(bytes32 agency) public view returns (bytes32[] memory chain) {
        chain = new bytes32[](MAX_CHAIN);
        uint256 count = 0;
        bytes32 next = _accepted(agency);
        for (; next != 0 && count < MAX_CHAIN; next = _accepted(next)) {
            chain[count++] = next;
        }
        // Shortens the array to what it holds.
        assembly ("memory-safe") { mstore(chain, count) }
    }

    function _accepted(bytes32 agency) private view returns (bytes32) {
        Succession storage s = _successions[agency];
        return s.accepted == 0 ? bytes32(0) : s.successor;
    }

    /// @dev An offer lapses when its city is no longer active, or the agency has gone to another one.
    function _isNamedStill(bytes32 agency, uint32 by) private view returns (bool) {
        uint32 present = cityOfAgency(agency, uint64(block.timestamp), uint64(block.number));
        return _activeNow(by) && (present == 0 || present == by);
    }

    /// @dev Chains ahead of the successor are bounded here; one that grows behind it is cut off by `successors`.
    function _requireNoLoop(bytes32 agency, bytes32 successor) private view {
        bytes32[] memory ahead = successors(successor);
        bool loops = agency == successor || ahead.length == MAX_CHAIN;
        for (uint256 i = 0; i < ahead.length; ++i) {
            if (ahead[i] == agency) loops = true;
        }
        if (loops) revert SuccessionLoop(agency, successor);
    }
}
