// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Term} from "../interfaces/ITerms.sol";
import {Codes} from "../Codes.sol";
import {Terms} from "../Terms.sol";

/// @title Cities, the types they may grant, and their endpoints
abstract contract Cities is IMemberRegistry {
    using Terms for Terms.Timeline;

    uint256 internal constant TYPE_LENGTH = 21;
    uint64 internal constant OPEN_ENDED = type(uint64).max;

    /// @inheritdoc IMemberRegistry
    bytes32 public immutable override consortiumId;
    /// @inheritdoc IMemberRegistry
    bool public immutable override production;

    /// @dev Account in one slot: an agency's code has 18 characters.
    struct AccountRow {
        uint32 city;
        uint8 roles;
        bytes18 agency;
    }

    struct CityRecord {
        City row;
        Terms.Timeline terms;
        mapping(bytes32 typeId => Terms.Timeline) scope;
        bool removed;
    }

    uint32[] private _cityIds;
    mapping(uint32 id => CityRecord) internal _cities;
    /// @dev Governors and hot accounts alike, so that an address can stand for one city only.
    mapping(address who => AccountRow) internal _accounts;

    constructor(bytes32 consortiumId_, bool production_) {
        if (consortiumId_ == 0) revert NoConsortiumId();
        consortiumId = consortiumId_;
        production = production_;
    }

    /// @inheritdoc IMemberRegistry
    function setEndpoint(string calldata endpoint) external {
        _setEndpoint(_governedCity(), endpoint);
    }

    /// @inheritdoc IMemberRegistry
    function cityCount() external view returns (uint256) {
        return _cityIds.length;
    }

    /// @inheritdoc IMemberRegistry
    function cityIdAt(uint256 i) external view returns (uint32) {
        return i < _cityIds.length ? _cityIds[i] : 0;
    }

    /// @inheritdoc IMemberRegistry
    function governs(address who) public view returns (uint32 id) {
        id = _accounts[who].city;
        if (_cities[id].row.governor != who || !_activeNow(id)) revert NotGovernor(who);
    }

    /// @inheritdoc IGovernance
    function cityRemoved(uint32 id) public view returns (bool) {
        return _cities[id].removed;
    }

    /// @inheritdoc IMemberRegistry
    function city(uint32 id) external view returns (City memory row, Term[] memory terms) {
        return (_cities[id].row, _cities[id].terms.all());
    }

    /// @inheritdoc IMemberRegistry
    function cityActive(uint32 id, uint64 time, uint64 asOfBlock) public view returns (bool) {
        return _cities[id].terms.covers(time, asOfBlock);
    }

    /// @inheritdoc IMemberRegistry
    function inScope(uint32 id, bytes32 typeId, uint64 time, uint64 asOfBlock) public view returns (bool) {
        return _cities[id].scope[typeId].covers(time, asOfBlock);
    }

    /// @inheritdoc IMemberRegistry
    function scopeTerms(uint32 id, bytes32 typeId) external view returns (Term[] memory) {
        return _cities[id].scope[typeId].all();
    }

    function _admit(uint32 id, uint32 division, address governor) internal {
        CityRecord storage record = _cities[id];
        if (id == 0 || !record.terms.isEmpty()) revert BadCityId(id);
        _claim(governor, AccountRow({city: id, roles: 0, agency: 0}));
        _cityIds.push(id);
        record.row.division = division;
        record.row.governor = governor;
        uint64 from = record.terms.open(0, OPEN_ENDED);
        emit CityAdmitted(id, division, governor, from, OPEN_ENDED);
    }

    function _grant(uint32 id, bytes32 typeId) internal {
        _requireCode(typeId, TYPE_LENGTH);
        uint64 from = _cities[id].scope[typeId].open(0, OPEN_ENDED);
        emit ScopeGranted(id, typeId, from, OPEN_ENDED);
    }

    function _suspend(uint32 id) internal {
        if (!_activeNow(id)) revert CityIsSuspended(id);
        uint64 to = _cities[id].terms.endNow();
        emit CitySuspended(id, to);
    }

    function _reinstate(uint32 id) internal {
        if (_activeNow(id)) revert CityIsActive(id);
        uint64 from = _cities[id].terms.open(0, OPEN_ENDED);
        emit CityReinstated(id, from, OPEN_ENDED);
    }

    /// @dev A suspended city's membership ended before; what is new is that it cannot be opened again.
    function _remove(uint32 id) internal {
        CityRecord storage record = _cities[id];
        if (_activeNow(id)) record.terms.endNow();
        record.removed = true;
        emit CityRemoved(id, uint64(block.timestamp));
    }

    /// @dev The old address stays bound to the city, so that it can never stand for another.
    function _replaceGovernor(uint32 id, address governor) internal {
        address old = _cities[id].row.governor;
        _claim(governor, AccountRow({city: id, roles: 0, agency: 0}));
        _cities[id].row.governor = governor;
        emit GovernorReplaced(id, old, governor);
    }

    function _endScope(uint32 id, bytes32 typeId) internal {
        uint64 to = _cities[id].scope[typeId].endNow();
        emit ScopeEnded(id, typeId, to);
    }

    function _setEndpoint(uint32 id, string memory endpoint) internal {
        _requireEndpoint(endpoint);
        _cities[id].row.endpoint = endpoint;
        emit EndpointChanged(id, endpoint);
    }

    /// @dev Binds a new address to its city for ever.
    function _claim(address who, AccountRow memory row) internal {
        if (who == address(0)) revert ZeroAddress();
        if (_accounts[who].city != 0) revert AccountTaken(who);
        _accounts[who] = row;
    }

    /// @dev City of the sender, who must be its governor.
    function _governedCity() internal view returns (uint32 id) {
        return governs(msg.sender);
    }

    /// @dev Cities that are active now, `except` left out. Every city ever admitted is looked at: there are few.
    function _activeCities(uint32 except) internal view returns (uint256 count) {
        uint256 ever = _cityIds.length;
        for (uint256 i = 0; i < ever; ++i) {
            if (_cityIds[i] != except && _activeNow(_cityIds[i])) ++count;
        }
    }

    function _activeNow(uint32 id) internal view returns (bool) {
        return cityActive(id, uint64(block.timestamp), uint64(block.number));
    }

    function _requireEndpoint(string memory endpoint) internal view {
        bytes memory url = bytes(endpoint);
        if (url.length != 0 && !Codes.isEndpoint(url, !production)) revert BadEndpoint(endpoint);
    }

    function _requireCode(bytes32 code, uint256 length) internal pure {
        if (!Codes.isCode(code, length)) revert BadCode(code, length);
    }
}
