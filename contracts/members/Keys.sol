// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Term} from "../interfaces/ITerms.sol";
import {Terms} from "../Terms.sol";
import {Agencies} from "./Agencies.sol";

/// @title Public keys of cities and agencies
abstract contract Keys is Agencies {
    using Terms for Terms.Timeline;

    struct KeyRecord {
        Key row;
        Terms.Timeline terms;
        Compromise[] compromises;
    }

    mapping(bytes32 thumbprint => KeyRecord) private _keys;

    /// @inheritdoc IMemberRegistry
    function addKey(Key calldata added, uint64 from, uint64 to) external {
        uint32 own = _governedCity();
        if (added.city != own) revert WrongCity(added.city, own);
        if (!_isSound(added)) revert BadKey(added.thumbprint);
        KeyRecord storage record = _keys[added.thumbprint];
        if (!record.terms.isEmpty()) revert KeyTaken(added.thumbprint);
        record.row = added;
        uint64 start = record.terms.open(from, to);
        if (added.agency != 0) _requireMember(added.agency, own, start);
        _announce(added, start, to);
    }

    /// @inheritdoc IMemberRegistry
    function endKey(bytes32 thumbprint, uint64 to) external {
        uint64 stop = _ownKey(thumbprint).terms.end(to);
        emit KeyEnded(thumbprint, stop);
    }

    /// @inheritdoc IMemberRegistry
    function compromiseKey(bytes32 thumbprint, uint64 since) external {
        KeyRecord storage record = _ownKey(thumbprint);
        uint64 time = uint64(block.timestamp);
        if (since > time) revert CompromiseInFuture(since, time);
        record.compromises.push(Compromise({since: since, recorded: uint64(block.number)}));
        emit KeyCompromised(thumbprint, since);
    }

    /// @inheritdoc IMemberRegistry
    function key(bytes32 thumbprint)
        external
        view
        returns (Key memory row, Term[] memory terms, Compromise[] memory compromises)
    {
        KeyRecord storage record = _keys[thumbprint];
        return (record.row, record.terms.all(), record.compromises);
    }

    /// @inheritdoc IMemberRegistry
    function keyValid(bytes32 thumbprint, uint64 time, uint64 asOfBlock) external view returns (bool) {
        KeyRecord storage record = _keys[thumbprint];
        uint256 count = record.compromises.length;
        for (uint256 i = 0; i < count; ++i) {
            Compromise memory report = record.compromises[i];
            if (report.recorded <= asOfBlock && report.since <= time) return false;
        }
        return record.terms.covers(time, asOfBlock);
    }

    function _ownKey(bytes32 thumbprint) private view returns (KeyRecord storage record) {
        record = _keys[thumbprint];
        if (record.row.city != _governedCity()) revert UnknownKey(thumbprint);
    }

    /// @dev Whether all parts are there and go together. Whether (x, y) lies on the curve is the reader's to check.
    function _isSound(Key calldata k) private pure returns (bool) {
        if (k.thumbprint == 0 || k.x == 0 || k.use == KeyUse.NONE) return false;
        if (k.use == KeyUse.CERT && k.agency == 0) return false;
        bool edwards = k.use == KeyUse.HEAD;
        return k.suite == (edwards ? Suite.ED25519 : Suite.P256) && edwards == (k.y == 0);
    }

    function _announce(Key calldata k, uint64 from, uint64 to) private {
        emit KeyAdded(k.thumbprint, k.city, k.agency, k.suite, k.use, k.x, k.y, from, to);
    }
}
