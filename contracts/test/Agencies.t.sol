// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IStatusRegistry, REASON_OTHER} from "../interfaces/IStatusRegistry.sol";
import {Term} from "../interfaces/ITerms.sol";
import {Consortium} from "./Consortium.sol";

/// @title MemberRegistry: agencies and accreditations
contract AgenciesTest is Consortium {
    function setUp() external {
        deploy();
    }

    /// @dev Two cities' governors add and end one agency in any order: at no time does it belong to both.
    function testFuzz_anAgencyBelongsToOneCityAtATime(uint256 seed) external {
        for (uint256 i = 0; i < 12; ++i) {
            uint256 dice = draw(seed, i);
            pass(dice % 4, 1);
            uint64 from = time + uint64(dice >> 8) % 8;
            uint64 to = dice >> 16 & 3 == 0 ? FOREVER : from + 1 + uint64(dice >> 24) % 8;
            bytes memory added = abi.encodeCall(registry.addAgency, (AGENCY_A, from, to));
            bytes memory ended = abi.encodeCall(registry.endAgency, (AGENCY_A, from));
            as_(dice >> 32 & 1 == 0 ? HANGZHOU : CHANGSHA);
            (bool done,) = address(registry).call(dice >> 40 & 1 == 0 ? added : ended);
            done; // refused or not: what counts is what then holds
        }
        for (uint64 t = GENESIS; t < time + 20; ++t) {
            bool here = _covers(HANGZHOU, t);
            bool there = _covers(CHANGSHA, t);
            vm.assertTrue(!(here && there), "in two cities at once");
            uint32 city = registry.cityOfAgency(AGENCY_A, t, number);
            vm.assertEq(city, here ? HANGZHOU : there ? CHANGSHA : 0, "city of the agency");
        }
    }

    function test_anotherCitysAgencyIsRefused() external {
        as_(CHANGSHA);
        registry.addAgency(AGENCY_A, time + 100, FOREVER);
        bytes memory elsewhere = abi.encodeWithSelector(IMemberRegistry.AgencyElsewhere.selector, AGENCY_A, CHANGSHA);
        refused(abi.encodeCall(registry.addAgency, (AGENCY_A, 0, time + 1)), elsewhere);
        bytes memory code = abi.encodeWithSelector(IMemberRegistry.BadCode.selector, bytes32("x"), 18);
        refused(abi.encodeCall(registry.addAgency, ("x", 0, FOREVER)), code);
    }

    /// @dev Changsha adds and ends agencies that are not its own, one once and one a hundred times, and Hangzhou then
    /// takes each in and acts for it. The third one warms the slots that all share.
    function test_whatAStrangerDidBeforeMakesNothingDear() external {
        _costAfter("11330100XXXX33013C", 1);
        uint256 once = _costAfter(AGENCY_A, 1);
        vm.assertTrue(_costAfter(AGENCY_B, 100) <= once, "dearer");
        vm.assertEq(registry.agencyTerms(AGENCY_B, CHANGSHA).length, 400, "records of the stranger");
    }

    function test_anAccreditationEnds() external {
        bytes memory member = abi.encodeWithSelector(IMemberRegistry.AgencyNotMember.selector, AGENCY_A, HANGZHOU, time);
        refused(abi.encodeCall(registry.accredit, (AGENCY_A, TYPE_A, 0, FOREVER)), member);
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        as_(HANGZHOU);
        registry.accredit(AGENCY_A, TYPE_A, 0, FOREVER);
        as_(HANGZHOU);
        registry.endAccreditation(AGENCY_A, TYPE_A, time + 9);
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_A, time + 8, number), "before its end");
        vm.assertTrue(!registry.accredited(AGENCY_A, TYPE_A, time + 9, number), "at its end");
        vm.assertTrue(!registry.accredited(AGENCY_A, TYPE_A, time + 8, number - 1), "before it was known");
        vm.assertEq(registry.accreditationTerms(AGENCY_A, HANGZHOU, TYPE_A).length, 2, "records");
        vm.assertEq(registry.scopeTerms(HANGZHOU, TYPE_A).length, 1, "scope");
    }

    function _costAfter(bytes32 agency, uint256 rounds) private returns (uint256 cost) {
        for (uint256 i = 0; i < rounds; ++i) {
            as_(CHANGSHA);
            registry.addAgency(agency, 0, FOREVER);
            pass(1, 1);
            as_(CHANGSHA);
            registry.endAgency(agency, 0);
            as_(CHANGSHA);
            registry.addAgency(agency, time + 5, FOREVER);
            as_(CHANGSHA);
            registry.endAgency(agency, time + 5);
        }
        IStatusRegistry.Change memory change = IStatusRegistry.Change(agency, "digest", 3, REASON_OTHER, 0, 0, 0);
        cost = gasleft();
        as_(HANGZHOU);
        registry.addAgency(agency, 0, FOREVER);
        vm.prank(hot(HANGZHOU));
        status.setStatus(change);
        registry.cityOfAgency(agency, time, number);
        as_(HANGZHOU);
        registry.nameSuccessor(agency, AGENCY_A);
        as_(HANGZHOU);
        registry.endAgency(agency, time + 1);
        cost -= gasleft();
        vm.assertEq(status.records(agency, "digest").length, 1, "no status");
    }

    /// @dev Read off the records: an opening whose earliest end lies beyond `t`.
    function _covers(uint32 city, uint64 t) private view returns (bool) {
        Term[] memory terms = registry.agencyTerms(AGENCY_A, city);
        for (uint256 i = 0; i < terms.length; ++i) {
            bool open = terms[i].opens == i && terms[i].from <= t;
            for (uint256 j = i; j < terms.length && open; ++j) {
                open = terms[j].opens != i || t < terms[j].to;
            }
            if (open) return true;
        }
        return false;
    }
}
