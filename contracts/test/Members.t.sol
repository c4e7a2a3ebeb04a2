// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry, ROLE_PUBLISH, ROLE_STATUS} from "../interfaces/IMemberRegistry.sol";
import {MemberRegistry} from "../MemberRegistry.sol";
import {Consortium} from "./Consortium.sol";

/// @title MemberRegistry: founders, endpoints, governors, accounts
contract MembersTest is Consortium {
    address private constant CLERK = address(0xC1E4C);

    function setUp() external {
        deploy();
    }

    // --------------------------------------------------------------- founders

    function testFuzz_howManyFoundersItTakes(uint8 count, bool production) external {
        IMemberRegistry.Founder[] memory few = founders(count % 5);
        uint256 needed = production ? 3 : 1;
        if (few.length < needed) {
            vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.TooFewFounders.selector, few.length, needed));
        }
        MemberRegistry made = this.found(NAME, few, production);
        if (few.length < needed) return;
        vm.assertEq(made.cityCount(), few.length, "cities");
        vm.assertEq(made.cityIdAt(few.length), 0, "beyond the last");
        vm.assertEq(made.cityIdAt(0), HANGZHOU, "the first");
        vm.assertTrue(made.production() == production && made.consortiumId() == NAME, "constants");
    }

    function testFuzz_aFoundersTermsHoldFromItsBlockOn(uint64 asked, uint64 asOfBlock) external view {
        bool held = asked >= GENESIS && asked != FOREVER && asOfBlock >= 1;
        vm.assertTrue(registry.cityActive(HANGZHOU, asked, asOfBlock) == held, "city");
        vm.assertTrue(registry.inScope(HANGZHOU, TYPE_A, asked, asOfBlock) == held, "type");
        vm.assertTrue(!registry.cityActive(CITIES + 1, asked, asOfBlock), "no such city");
        vm.assertTrue(!registry.inScope(HANGZHOU, TYPE_B, asked, asOfBlock), "no such type");
    }

    function test_foundersThatContradictEachOther() external {
        IMemberRegistry.Founder[] memory all = founders(2);
        all[1].city = HANGZHOU;
        _unfounded(NAME, all, abi.encodeWithSelector(IMemberRegistry.BadCityId.selector, HANGZHOU));
        all[1].city = 0;
        _unfounded(NAME, all, abi.encodeWithSelector(IMemberRegistry.BadCityId.selector, 0));
        all = founders(2);
        all[1].governor = hot(HANGZHOU);
        _unfounded(NAME, all, abi.encodeWithSelector(IMemberRegistry.AccountTaken.selector, hot(HANGZHOU)));
        all[1].governor = address(0);
        _unfounded(NAME, all, abi.encodeWithSelector(IMemberRegistry.ZeroAddress.selector));
        all = founders(2);
        all[1].types[0] = "short";
        _unfounded(NAME, all, abi.encodeWithSelector(IMemberRegistry.BadCode.selector, bytes32("short"), 21));
        _unfounded(0, founders(2), abi.encodeWithSelector(IMemberRegistry.NoConsortiumId.selector));
    }

    /// @dev A call of its own, so that expectRevert has one to look at.
    function found(bytes32 name, IMemberRegistry.Founder[] calldata all, bool production)
        external
        returns (MemberRegistry)
    {
        return newRegistry(name, all, production);
    }

    // -------------------------------------------------------------- endpoints

    function test_anEndpointIsSetAndRemoved() external {
        IMemberRegistry.Founder[] memory one = founders(1);
        one[0].endpoint = "http://127.0.0.1:8080";
        registry = newRegistry(NAME, one, false);
        _endpoint("https://hangzhou.example/ledger", "");
        _endpoint("", "");
        bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.BadEndpoint.selector, "https://a@b");
        _endpoint("https://a@b", refusal);
    }

    // ---------------------------------------------------------------- governor

    function testFuzz_onlyAGovernorActsAndInItsCityOnly(address who) external {
        for (uint32 city = 1; city <= CITIES; ++city) {
            if (who == governor(city)) return;
        }
        bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.NotGovernor.selector, who);
        IMemberRegistry.Key memory none;
        bytes[9] memory calls = [
            abi.encodeCall(registry.setEndpoint, ("")),
            abi.encodeCall(registry.addAccount, (CLERK, 0, 3, 0, FOREVER)),
            abi.encodeCall(registry.endAccount, (hot(HANGZHOU), 0)),
            abi.encodeCall(registry.addAgency, (AGENCY_A, 0, FOREVER)),
            abi.encodeCall(registry.endAgency, (AGENCY_A, 0)),
            abi.encodeCall(registry.accredit, (AGENCY_A, TYPE_A, 0, FOREVER)),
            abi.encodeCall(registry.endAccreditation, (AGENCY_A, TYPE_A, 0)),
            abi.encodeCall(registry.addKey, (none, 0, FOREVER)),
            abi.encodeCall(registry.compromiseKey, (0, 0))
        ];
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.prank(who);
            (bool done, bytes memory answer) = address(registry).call(calls[i]);
            vm.assertTrue(!done && keccak256(answer) == keccak256(refusal), "a stranger acted");
            bytes[] memory batch = new bytes[](1);
            batch[0] = calls[i];
            vm.prank(who);
            (done, answer) = address(registry).call(abi.encodeCall(registry.multicall, (batch)));
            vm.assertTrue(!done && keccak256(answer) == keccak256(refusal), "a stranger acted in a batch");
        }
    }

    function test_aBatchHoldsAltogetherOrNotAtAll() external {
        bytes[] memory batch = new bytes[](2);
        batch[0] = abi.encodeCall(registry.addAgency, (AGENCY_A, 0, FOREVER));
        batch[1] = abi.encodeCall(registry.accredit, (AGENCY_A, TYPE_B, 0, FOREVER));
        as_(HANGZHOU);
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.OutOfScope.selector, HANGZHOU, TYPE_B, time));
        registry.multicall(batch);
        vm.assertEq(registry.agencyTerms(AGENCY_A, HANGZHOU).length, 0, "half a batch");
        batch[1] = abi.encodeCall(registry.accredit, (AGENCY_A, TYPE_A, 0, FOREVER));
        as_(HANGZHOU);
        registry.multicall(batch);
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_A, time, number), "accredited");
    }

    // ---------------------------------------------------------------- accounts

    function testFuzz_whoActsInWhichRole(uint8 roles, bool ofAgency, uint8 asked, uint64 begin, uint64 length)
        external
    {
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        uint64 from = time + uint64(bound(begin, 0, 20));
        uint64 to = from + uint64(bound(length, 1, 20));
        bytes32 agency = ofAgency ? AGENCY_A : bytes32(0);
        uint8 allowed = ofAgency ? ROLE_STATUS : ROLE_PUBLISH | ROLE_STATUS;
        bool sound = roles != 0 && roles & ~allowed == 0;
        if (!sound) vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.BadRoles.selector, roles));
        as_(HANGZHOU);
        registry.addAccount(CLERK, agency, roles, from, to);
        for (uint256 i = 0; i < 45; i += 4) {
            pass(4, 1);
            bool active = sound && roles & asked != 0 && from <= time && time < to;
            if (!active) vm.expectRevert(unregistered(CLERK));
            (uint32 city, bytes32 agency_) = registry.actsFor(CLERK, asked);
            if (active) vm.assertTrue(city == HANGZHOU && agency_ == agency, "for whom");
        }
    }

    function test_anAddressStandsForOneCityForEver() external {
        bytes memory taken = abi.encodeWithSelector(IMemberRegistry.AccountTaken.selector, hot(CHANGSHA));
        refused(abi.encodeCall(registry.addAccount, (hot(CHANGSHA), 0, 3, 0, FOREVER)), taken);
        taken = abi.encodeWithSelector(IMemberRegistry.AccountTaken.selector, governor(HANGZHOU));
        refused(abi.encodeCall(registry.addAccount, (governor(HANGZHOU), 0, 3, 0, FOREVER)), taken);
        bytes memory zero = abi.encodeWithSelector(IMemberRegistry.ZeroAddress.selector);
        refused(abi.encodeCall(registry.addAccount, (address(0), 0, 3, 0, FOREVER)), zero);
        bytes memory unknown = abi.encodeWithSelector(IMemberRegistry.UnknownAccount.selector, hot(CHANGSHA));
        refused(abi.encodeCall(registry.endAccount, (hot(CHANGSHA), 0)), unknown);
        as_(HANGZHOU);
        registry.endAccount(hot(HANGZHOU), 0);
        taken = abi.encodeWithSelector(IMemberRegistry.AccountTaken.selector, hot(HANGZHOU));
        refused(abi.encodeCall(registry.addAccount, (hot(HANGZHOU), 0, ROLE_STATUS, 0, FOREVER)), taken);
        (IMemberRegistry.Account memory row,) = registry.account(hot(HANGZHOU));
        vm.assertTrue(row.city == HANGZHOU && row.roles == 3 && row.agency == 0, "row");
    }

    function test_anAgencysAccountNeedsAnAgency() external {
        bytes memory code = abi.encodeWithSelector(IMemberRegistry.BadCode.selector, bytes32("x"), 18);
        refused(abi.encodeCall(registry.addAccount, (CLERK, "x", ROLE_STATUS, 0, FOREVER)), code);
        bytes memory member = abi.encodeWithSelector(IMemberRegistry.AgencyNotMember.selector, AGENCY_A, HANGZHOU, time);
        refused(abi.encodeCall(registry.addAccount, (CLERK, AGENCY_A, ROLE_STATUS, 0, FOREVER)), member);
    }

    function _unfounded(bytes32 name, IMemberRegistry.Founder[] memory all, bytes memory refusal) private {
        vm.expectRevert(refusal);
        this.found(name, all, false);
    }

    function _endpoint(string memory url, bytes memory refusal) private {
        if (refusal.length != 0) vm.expectRevert(refusal);
        as_(HANGZHOU);
        registry.setEndpoint(url);
        if (refusal.length != 0) return;
        (IMemberRegistry.City memory row,) = registry.city(HANGZHOU);
        vm.assertEq(keccak256(bytes(row.endpoint)), keccak256(bytes(url)), "endpoint");
    }
}
