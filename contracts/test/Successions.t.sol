// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {IStatusRegistry, REASON_OTHER} from "../interfaces/IStatusRegistry.sol";
import {Deciding} from "./Deciding.sol";

/// @title MemberRegistry: successors of agencies, and what StatusRegistry makes of them
contract SuccessionsTest is Deciding {
    bytes32 private constant AGENCY_C = "11320100MB0000001X";

    function setUp() external {
        deploy();
        _join(HANGZHOU, AGENCY_A);
        _join(CHANGSHA, AGENCY_B);
        _join(NANJING, AGENCY_C);
    }

    function test_aSuccessorSetsStatuses() external {
        vm.assertTrue(!_revokes(CHANGSHA, AGENCY_A), "nobody named it");
        _name(HANGZHOU, AGENCY_A, AGENCY_B);
        vm.assertTrue(!_revokes(CHANGSHA, AGENCY_A), "it did not accept");
        _accept(CHANGSHA, AGENCY_A, AGENCY_B);
        IMemberRegistry.Succession memory s = registry.succession(AGENCY_A);
        vm.assertTrue(s.successor == AGENCY_B && s.city == HANGZHOU, "row");
        vm.assertTrue(s.accepted == time && s.recorded == number, "since when");
        vm.assertTrue(!_revokes(NANJING, AGENCY_A), "another city");
        vm.assertTrue(!_revokes(HANGZHOU, AGENCY_B), "the other way round");
        vm.assertTrue(_revokes(CHANGSHA, AGENCY_A), "the successor");
    }

    function test_whatWasAcceptedStands() external {
        _succeed(HANGZHOU, AGENCY_A, CHANGSHA, AGENCY_B);
        bytes memory done = abi.encodeWithSelector(IMemberRegistry.SuccessionDone.selector, AGENCY_A, AGENCY_B);
        refused(HANGZHOU, abi.encodeCall(registry.nameSuccessor, (AGENCY_A, AGENCY_C)), done);
        refused(CHANGSHA, abi.encodeCall(registry.acceptSuccession, (AGENCY_A, AGENCY_B)), done);
    }

    function test_whoNamesAndWhoAccepts() external {
        bytes memory member = abi.encodeWithSelector(IMemberRegistry.AgencyNotMember.selector, AGENCY_A, CHANGSHA, time);
        refused(CHANGSHA, abi.encodeCall(registry.nameSuccessor, (AGENCY_A, AGENCY_B)), member);
        bytes memory code = abi.encodeWithSelector(IMemberRegistry.BadCode.selector, bytes32("x"), 18);
        refused(HANGZHOU, abi.encodeCall(registry.nameSuccessor, (AGENCY_A, "x")), code);
        _notNamed(CHANGSHA, AGENCY_A, AGENCY_B);
        _name(HANGZHOU, AGENCY_A, AGENCY_B);
        _notNamed(NANJING, AGENCY_A, AGENCY_C);
        member = abi.encodeWithSelector(IMemberRegistry.AgencyNotMember.selector, AGENCY_B, NANJING, time);
        refused(NANJING, abi.encodeCall(registry.acceptSuccession, (AGENCY_A, AGENCY_B)), member);
        _name(HANGZHOU, AGENCY_A, 0);
        _notNamed(CHANGSHA, AGENCY_A, AGENCY_B);
    }

    /// @dev The offer stands while its city is active and nobody else has the agency; its membership may have ended.
    function testFuzz_whetherAnOfferStands(bool ended, bool moved, bool suspended) external {
        _name(HANGZHOU, AGENCY_A, AGENCY_B);
        pass(1, 1);
        if (ended || moved) as_(HANGZHOU);
        if (ended || moved) registry.endAgency(AGENCY_A, 0);
        if (moved) _join(NANJING, AGENCY_A);
        if (suspended) decide(CHANGSHA, NANJING, action(IGovernance.ActionKind.SUSPEND, HANGZHOU));
        if (moved || suspended) return _notNamed(CHANGSHA, AGENCY_A, AGENCY_B);
        _accept(CHANGSHA, AGENCY_A, AGENCY_B);
        vm.assertTrue(_revokes(CHANGSHA, AGENCY_A), "the successor");
    }

    /// @dev Row 0 is succeeded by 1, by 2, and so on; four of them inherit, and who has all of them before it cannot.
    function test_aChainHasFourAtMost() external {
        bytes32[] memory row = new bytes32[](6);
        for (uint256 i = 0; i < row.length; ++i) {
            row[i] = bytes32(bytes.concat("1133010000000000", bytes1(uint8(48 + i)), "X"));
            _join(i == 4 ? CHANGSHA : HANGZHOU, row[i]);
        }
        for (uint256 i = 0; i < 4; ++i) {
            _succeed(HANGZHOU, row[i], i == 3 ? CHANGSHA : HANGZHOU, row[i + 1]);
        }
        vm.assertEq(registry.successors(row[0]).length, 4, "successors");
        vm.assertEq(registry.successors(row[0])[3], row[4], "the last");
        vm.assertTrue(_revokes(CHANGSHA, row[0]), "the last sets a status of the first");
        _loop(HANGZHOU, row[5], HANGZHOU, row[0]); // would be the fifth
        _loop(CHANGSHA, row[4], HANGZHOU, row[1]);
        _loop(CHANGSHA, row[4], CHANGSHA, row[4]);
        _succeed(HANGZHOU, row[5], HANGZHOU, row[1]);
        _succeed(CHANGSHA, row[4], NANJING, AGENCY_C); // grown behind: cut off
        vm.assertEq(registry.successors(row[0]).length, 4, "still four");
        vm.assertTrue(!_revokes(NANJING, row[0]) && _revokes(NANJING, row[1]), "the fifth");
    }

    function _join(uint32 city, bytes32 agency) private {
        as_(city);
        registry.addAgency(agency, 0, FOREVER);
    }

    function _name(uint32 city, bytes32 agency, bytes32 successor) private {
        as_(city);
        registry.nameSuccessor(agency, successor);
    }

    function _accept(uint32 city, bytes32 agency, bytes32 successor) private {
        as_(city);
        registry.acceptSuccession(agency, successor);
    }

    function _succeed(uint32 by, bytes32 agency, uint32 acceptedBy, bytes32 successor) private {
        _name(by, agency, successor);
        _accept(acceptedBy, agency, successor);
    }

    function _notNamed(uint32 city, bytes32 agency, bytes32 successor) private {
        bytes memory not = abi.encodeWithSelector(IMemberRegistry.NotNamed.selector, agency, successor);
        refused(city, abi.encodeCall(registry.acceptSuccession, (agency, successor)), not);
    }

    function _loop(uint32 by, bytes32 agency, uint32 acceptedBy, bytes32 successor) private {
        _name(by, agency, successor);
        bytes memory loops = abi.encodeWithSelector(IMemberRegistry.SuccessionLoop.selector, agency, successor);
        refused(acceptedBy, abi.encodeCall(registry.acceptSuccession, (agency, successor)), loops);
    }

    /// @dev Whether the city's account sets a status under this issuer: a digest of its own each time.
    function _revokes(uint32 city, bytes32 issuer) private returns (bool) {
        bytes32 digest = keccak256(abi.encode(city, issuer, number));
        vm.prank(hot(city));
        status.setStatus(IStatusRegistry.Change(issuer, digest, 3, REASON_OTHER, 0, 0, 0));
        pass(0, 1);
        return status.records(issuer, digest).length == 1;
    }
}
