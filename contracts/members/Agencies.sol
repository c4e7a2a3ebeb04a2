// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Term} from "../interfaces/ITerms.sol";
import {Terms} from "../Terms.sol";
import {Cities} from "./Cities.sol";

/// @title Agencies, their city, and what that city lets them issue
abstract contract Agencies is Cities {
    using Terms for Terms.Timeline;

    uint256 internal constant AGENCY_LENGTH = 18;

    struct AgencyRecord {
        /// @dev Every city that ever had this agency, each once, so there are few, however often one adds and ends it.
        /// At most one membership holds at any time.
        uint32[] cities;
        mapping(uint32 city => Terms.Timeline) memberships;
        mapping(uint32 city => mapping(bytes32 typeId => Terms.Timeline)) accreditations;
    }

    mapping(bytes32 agency => AgencyRecord) private _agencies;

    /// @inheritdoc IMemberRegistry
    function addAgency(bytes32 agency, uint64 from, uint64 to) external {
        uint32 own = _governedCity();
        _requireCode(agency, AGENCY_LENGTH);
        AgencyRecord storage record = _agencies[agency];
        _free(agency, own);
        if (record.memberships[own].isEmpty()) record.cities.push(own);
        uint64 start = record.memberships[own].open(from, to);
        emit AgencyAdded(agency, own, start, to);
    }

    /// @inheritdoc IMemberRegistry
    function endAgency(bytes32 agency, uint64 to) external {
        uint32 own = _governedCity();
        uint64 stop = _agencies[agency].memberships[own].end(to);
        emit AgencyEnded(agency, own, stop);
    }

    /// @inheritdoc IMemberRegistry
    function accredit(bytes32 agency, bytes32 typeId, uint64 from, uint64 to) external {
        uint32 own = _governedCity();
        _endLapsed(agency, own, typeId);
        uint64 start = _agencies[agency].accreditations[own][typeId].open(from, to);
        _requireMember(agency, own, start);
        if (!inScope(own, typeId, start, uint64(block.number))) revert OutOfScope(own, typeId, start);
        emit Accredited(agency, own, typeId, start, to);
    }

    /// @inheritdoc IMemberRegistry
    function endAccreditation(bytes32 agency, bytes32 typeId, uint64 to) external {
        uint32 own = _governedCity();
        uint64 stop = _agencies[agency].accreditations[own][typeId].end(to);
        emit AccreditationEnded(agency, own, typeId, stop);
    }

    /// @inheritdoc IMemberRegistry
    function agencyTerms(bytes32 agency, uint32 cityId) external view returns (Term[] memory) {
        return _agencies[agency].memberships[cityId].all();
    }

    /// @inheritdoc IMemberRegistry
    function isMember(bytes32 agency, uint32 cityId, uint64 time, uint64 asOfBlock) public view returns (bool) {
        return _agencies[agency].memberships[cityId].covers(time, asOfBlock);
    }

    /// @inheritdoc IMemberRegistry
    function cityOfAgency(bytes32 agency, uint64 time, uint64 asOfBlock) public view returns (uint32) {
        AgencyRecord storage record = _agencies[agency];
        uint256 count = record.cities.length;
        for (uint256 i = 0; i < count; ++i) {
            uint32 id = record.cities[i];
            if (isMember(agency, id, time, asOfBlock)) return id;
        }
        return 0;
    }

    /// @inheritdoc IMemberRegistry
    function accreditationTerms(bytes32 agency, uint32 cityId, bytes32 typeId) public view returns (Term[] memory) {
        return _agencies[agency].accreditations[cityId][typeId].within(_cities[cityId].scope[typeId]);
    }

    /// @inheritdoc IMemberRegistry
    function accredited(bytes32 agency, bytes32 typeId, uint64 time, uint64 asOfBlock) external view returns (bool) {
        uint32 id = cityOfAgency(agency, time, asOfBlock);
        return cityActive(id, time, asOfBlock) && Terms.holds(accreditationTerms(agency, id, typeId), time, asOfBlock);
    }

    function _requireMember(bytes32 agency, uint32 id, uint64 time) internal view {
        if (!isMember(agency, id, time, uint64(block.number))) revert AgencyNotMember(agency, id, time);
    }

    /// @dev What ended with the scope still stands open in its own list; said there too, it can be followed by a new one.
    function _endLapsed(bytes32 agency, uint32 own, bytes32 typeId) private {
        Terms.Timeline storage line = _agencies[agency].accreditations[own][typeId];
        (uint64 time, uint64 number) = (uint64(block.timestamp), uint64(block.number));
        if (!line.covers(time, number)) return;
        if (Terms.holds(accreditationTerms(agency, own, typeId), time, number)) return;
        uint64 stop = line.endNow();
        emit AccreditationEnded(agency, own, typeId, stop);
    }

    /// @dev Refuses while another city has the agency; a removed city has nobody left to let it go.
    function _free(bytes32 agency, uint32 own) private {
        AgencyRecord storage record = _agencies[agency];
        uint256 count = record.cities.length;
        for (uint256 i = 0; i < count; ++i) {
            uint32 other = record.cities[i];
            if (other == own || !record.memberships[other].reaches(uint64(block.timestamp))) continue;
            if (!cityRemoved(other)) revert AgencyElsewhere(agency, other);
            uint64 stop = record.memberships[other].endNow();
            emit AgencyEnded(agency, other, stop);
        }
    }
}
