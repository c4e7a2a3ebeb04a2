// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {IMemberRegistry} from "../interfaces/IMemberRegistry.sol";
import {Deciding} from "./Deciding.sol";

/// @title What the cities decide: forms, majorities, and each kind of action; sequences are in DecisionsInvariants
contract GovernanceTest is Deciding {
    address private constant SUCCESSOR = address(0x5CC);

    function setUp() external {
        deploy();
    }

    // ------------------------------------------------------------------ forms

    /// @dev Bits of `fields`: division, account, epoch, size, stream, types, hot, endpoint. What each kind must have and
    /// may have is written here as the sentences of IGovernance.ActionKind say it.
    function testFuzz_whatAnActionCarries(uint8 kind, uint8 fields, bool stray) external {
        uint8[9] memory needs = [0, 0x02, 0, 0, 0, 0x02, 0x20, 0x20, 0x12];
        uint8[9] memory may = [0, 0xe1, 0, 0, 0, 0, 0, 0, 0x0c];
        IGovernance.Action memory a = action(IGovernance.ActionKind(bound(kind, 0, 8)), CHANGSHA);
        uint256 k = uint256(a.kind);
        if (!stray) fields = needs[k] | (fields & may[k]); // else mostly unsound
        if (fields & 0x01 != 0) a.division = 320_500;
        if (fields & 0x02 != 0) a.account = SUCCESSOR;
        if (fields & 0x04 != 0) a.epoch = 1;
        if (fields & 0x08 != 0) a.size = 1;
        if (fields & 0x10 != 0) a.streamId = "certificate";
        a.types = new bytes32[](fields >> 5 & 1);
        a.hot = new address[](fields >> 6 & 1);
        if (a.types.length != 0) a.types[0] = TYPE_B;
        if (fields & 0x80 != 0) a.endpoint = "https://suzhou.example";
        bool sound = k != 0 && fields & needs[k] == needs[k] && fields & ~(needs[k] | may[k]) == 0;
        if (!sound) return _badAction(a);
        bytes32 id = propose(HANGZHOU, a);
        (IGovernance.Proposal memory row, IGovernance.Action memory kept,) = registry.proposal(id);
        vm.assertEq(keccak256(abi.encode(kept)), keccak256(abi.encode(a)), "action");
        vm.assertTrue(row.state == IGovernance.ProposalState.OPEN && row.proposer == HANGZHOU, "row");
        vm.assertEq(id, keccak256(abi.encode(registry.consortiumId(), block.chainid, registry, 0, a)), "id");
    }

    function test_whatCouldNeverBeExecuted() external {
        _badAction(action(IGovernance.ActionKind.SUSPEND, 0));
        IGovernance.Action memory a = action(IGovernance.ActionKind.SUSPEND, SUZHOU);
        bytes memory unknown = abi.encodeWithSelector(IGovernance.UnknownCity.selector, SUZHOU);
        refused(HANGZHOU, abi.encodeCall(registry.propose, (a)), unknown);
        a = admission();
        a.types[0] = AGENCY_A;
        bytes memory code = abi.encodeWithSelector(IMemberRegistry.BadCode.selector, AGENCY_A, 21);
        refused(HANGZHOU, abi.encodeCall(registry.propose, (a)), code);
        a = admission();
        a.endpoint = "http://127.0.0.1";
        bytes memory endpoint = abi.encodeWithSelector(IMemberRegistry.BadEndpoint.selector, a.endpoint);
        refused(HANGZHOU, abi.encodeCall(registry.propose, (a)), endpoint);
    }

    function test_proposalsAreListed() external {
        bytes32 first = propose(HANGZHOU, admission());
        bytes32 second = propose(HANGZHOU, admission());
        vm.assertTrue(first != second, "the same id twice");
        vm.assertEq(registry.proposalCount(), 2, "count");
        vm.assertEq(registry.proposalIdAt(1), second, "second");
        vm.assertEq(registry.proposalIdAt(2), 0, "beyond the last");
        (uint256 counted, uint256 needed) = registry.tally("nothing");
        vm.assertTrue(counted == 0 && needed == 0, "tally of nothing");
        (counted, needed) = registry.tally(first);
        vm.assertTrue(counted == 1 && needed == 2, "tally");
    }

    // ------------------------------------------------------------- majorities

    /// @dev Any number of founders, any set of approving cities, about one of them or about a new one.
    function testFuzz_howManyApprovalsItTakes(uint8 count, uint16 approving, bool aboutNew) external {
        uint32 cities = uint32(bound(count, 2, 9));
        registry = newRegistry(NAME, founders(cities), false);
        IGovernance.Action memory a = aboutNew ? _newcomer() : action(IGovernance.ActionKind.SUSPEND, cities);
        uint256 voters = aboutNew ? cities : cities - 1;
        bytes32 id = propose(1, a);
        uint256 counted = 1;
        for (uint32 city = 2; city <= voters; ++city) {
            if (approving >> city & 1 == 0) continue;
            for (uint256 twice = 0; twice < 2; ++twice) {
                approve(city, id);
            }
            ++counted;
        }
        uint256 needed = voters == 1 ? 1 : voters / 2 + 1 < 2 ? 2 : voters / 2 + 1;
        vm.assertEq(registry.approvalsNeeded(a.city), needed, "needed");
        bytes memory few = abi.encodeWithSelector(IGovernance.NotEnoughApprovals.selector, id, counted, needed);
        if (counted < needed) return cannotExecute(1, id, few);
        as_(1);
        registry.execute(id);
        vm.assertTrue(active(a.city) == aboutNew, "executed");
    }

    /// @dev One city decides alone about others, and nobody about the only city: two approvals that cannot be given.
    function test_theOnlyCity() external {
        registry = newRegistry(NAME, founders(1), false);
        vm.assertEq(registry.approvalsNeeded(SUZHOU), 1, "about a new one");
        vm.assertEq(registry.approvalsNeeded(HANGZHOU), 2, "about itself");
        bytes32 id = propose(HANGZHOU, admission());
        as_(HANGZHOU);
        registry.execute(id);
        vm.assertTrue(active(SUZHOU), "admitted");
    }

    function test_whoHasLeftOrIsReplacedDoesNotCount() external {
        decide(HANGZHOU, CHANGSHA, admission());
        bytes32 id = propose(CHANGSHA, action(IGovernance.ActionKind.SUSPEND, HANGZHOU));
        approve(SUZHOU, id);
        decide(HANGZHOU, NANJING, action(IGovernance.ActionKind.REMOVE, SUZHOU));
        (uint256 counted, uint256 needed) = registry.tally(id);
        vm.assertTrue(counted == 1 && needed == 2, "a city that left");
        approve(NANJING, id);
        _replace(NANJING);
        (counted,) = registry.tally(id);
        vm.assertEq(counted, 1, "a governor that was replaced");
        vm.prank(SUCCESSOR);
        registry.approve(id);
        (counted,) = registry.tally(id);
        vm.assertEq(counted, 2, "its successor");
    }

    function test_aCityHasNoVoteAboutItself() external {
        bytes32 id = propose(HANGZHOU, action(IGovernance.ActionKind.SUSPEND, CHANGSHA));
        bytes memory oneself = abi.encodeWithSelector(IGovernance.NoVoteOnOneself.selector, CHANGSHA);
        refused(CHANGSHA, abi.encodeCall(registry.approve, (id)), oneself);
        IGovernance.Action memory a = action(IGovernance.ActionKind.SUSPEND, CHANGSHA);
        refused(CHANGSHA, abi.encodeCall(registry.propose, (a)), oneself);
    }

    // ----------------------------------------------------------------- states

    function test_aProposalIsExecutedOnce() external {
        bytes32 id = decide(HANGZHOU, CHANGSHA, admission());
        bytes memory over =
            abi.encodeWithSelector(IGovernance.ProposalOver.selector, id, IGovernance.ProposalState.EXECUTED);
        cannotExecute(HANGZHOU, id, over);
        refused(NANJING, abi.encodeCall(registry.approve, (id)), over);
        bytes memory unknown = abi.encodeWithSelector(IGovernance.UnknownProposal.selector, bytes32("nothing"));
        cannotExecute(HANGZHOU, "nothing", unknown);
    }

    function test_aProposalExpires() external {
        bytes32 id = propose(HANGZHOU, admission());
        pass(LIFETIME - 1, 1);
        approve(CHANGSHA, id);
        pass(1, 1);
        bytes memory expired = abi.encodeWithSelector(IGovernance.ProposalExpired.selector, id, time);
        cannotExecute(HANGZHOU, id, expired);
        refused(NANJING, abi.encodeCall(registry.approve, (id)), expired);
    }

    function test_strangersDecideNothing() external {
        bytes32 id = propose(HANGZHOU, admission());
        bytes[4] memory calls = [
            abi.encodeCall(registry.propose, (admission())),
            abi.encodeCall(registry.approve, (id)),
            abi.encodeCall(registry.execute, (id)),
            abi.encodeCall(registry.nameSuccessor, (AGENCY_A, AGENCY_B))
        ];
        address[3] memory strangers = [STRANGER, hot(HANGZHOU), governor(SUZHOU)];
        for (uint256 i = 0; i < calls.length * strangers.length; ++i) {
            address who = strangers[i % strangers.length];
            vm.prank(who);
            (bool done, bytes memory answer) = address(registry).call(calls[i / strangers.length]);
            bytes memory refusal = abi.encodeWithSelector(IMemberRegistry.NotGovernor.selector, who);
            vm.assertTrue(!done && keccak256(answer) == keccak256(refusal), "a stranger decided");
        }
    }

    // ---------------------------------------------------------------- actions

    function test_aCityIsAdmittedAsItWasProposed() external {
        vm.assertTrue(!active(SUZHOU), "too soon");
        decide(HANGZHOU, CHANGSHA, admission());
        (IMemberRegistry.City memory row,) = registry.city(SUZHOU);
        vm.assertEq(row.governor, governor(SUZHOU), "governor");
        vm.assertEq(row.division, 100_000 + SUZHOU, "division");
        vm.assertEq(keccak256(bytes(row.endpoint)), keccak256("https://suzhou.example"), "endpoint");
        (uint32 city, bytes32 agency) = registry.actsFor(hot(SUZHOU), 3);
        vm.assertTrue(city == SUZHOU && agency == 0, "hot account");
        vm.assertTrue(registry.inScope(SUZHOU, TYPE_A, time, number), "scope");
        vm.assertEq(registry.governs(governor(SUZHOU)), SUZHOU, "governs");
        bytes memory taken = abi.encodeWithSelector(IMemberRegistry.BadCityId.selector, SUZHOU);
        _undecided(admission(), taken);
    }

    function test_suspendedAndReinstated() external {
        IGovernance.Action memory back = action(IGovernance.ActionKind.REINSTATE, NANJING);
        _undecided(back, abi.encodeWithSelector(IGovernance.CityIsActive.selector, NANJING));
        as_(NANJING);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        as_(NANJING);
        registry.accredit(AGENCY_A, TYPE_A, 0, FOREVER);
        pass(1, 1);
        IGovernance.Action memory out = action(IGovernance.ActionKind.SUSPEND, NANJING);
        decide(HANGZHOU, CHANGSHA, out);
        vm.assertTrue(!active(NANJING), "active");
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_A, time - 1, number), "accredited before");
        vm.assertTrue(!registry.accredited(AGENCY_A, TYPE_A, time, number), "its agency is accredited");
        vm.expectRevert(unregistered(hot(NANJING)));
        registry.actsFor(hot(NANJING), 1);
        _undecided(out, abi.encodeWithSelector(IGovernance.CityIsSuspended.selector, NANJING));
        pass(5, 1);
        decide(HANGZHOU, CHANGSHA, back);
        vm.assertTrue(active(NANJING) && !registry.cityActive(NANJING, time - 1, number), "since when");
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_A, time, number), "accredited again");
        registry.actsFor(hot(NANJING), 1);
    }

    function testFuzz_aRemovedCityNeverReturns(bool suspended) external {
        if (suspended) decide(HANGZHOU, CHANGSHA, action(IGovernance.ActionKind.SUSPEND, NANJING));
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        decide(HANGZHOU, CHANGSHA, action(IGovernance.ActionKind.REMOVE, NANJING));
        vm.assertTrue(registry.cityRemoved(NANJING) && !active(NANJING), "still there");
        bytes memory gone = abi.encodeWithSelector(IGovernance.CityGone.selector, NANJING);
        for (uint8 kind = 2; kind <= 4; ++kind) {
            _undecided(action(IGovernance.ActionKind(kind), NANJING), gone);
        }
        _undecided(rekey(NANJING, SUCCESSOR), gone, true);
        _undecided(scopes(IGovernance.ActionKind.GRANT_TYPES, NANJING, TYPE_B), gone);
        _undecided(scopes(IGovernance.ActionKind.END_TYPES, NANJING, TYPE_A), gone);
    }

    function test_agenciesOfARemovedCityAreFree() external {
        as_(NANJING);
        registry.addAgency(AGENCY_A, 0, time + 10);
        as_(NANJING);
        registry.addAgency(AGENCY_A, time + 10, FOREVER);
        bytes memory elsewhere = abi.encodeWithSelector(IMemberRegistry.AgencyElsewhere.selector, AGENCY_A, NANJING);
        decide(HANGZHOU, CHANGSHA, action(IGovernance.ActionKind.SUSPEND, NANJING));
        refused(HANGZHOU, abi.encodeCall(registry.addAgency, (AGENCY_A, 0, FOREVER)), elsewhere);
        decide(HANGZHOU, CHANGSHA, action(IGovernance.ActionKind.REMOVE, NANJING));
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        vm.assertTrue(!registry.isMember(AGENCY_A, NANJING, time, number), "running");
        vm.assertTrue(!registry.isMember(AGENCY_A, NANJING, time + 10, number), "coming");
        vm.assertEq(registry.cityOfAgency(AGENCY_A, time + 10, number), HANGZHOU, "taken over");
        vm.assertEq(registry.agencyTerms(AGENCY_A, NANJING).length, 4, "records");
    }

    function test_aGovernorIsReplacedAfterTheDelay() external {
        bytes32 id = decide(HANGZHOU, CHANGSHA, rekey(NANJING, SUCCESSOR));
        uint64 due = time + DELAY;
        (IGovernance.Proposal memory row,,) = registry.proposal(id);
        vm.assertTrue(row.due == due && row.expires == due + LIFETIME, "due");
        vm.assertTrue(row.state == IGovernance.ProposalState.OPEN, "state");
        pass(DELAY - 1, 1);
        cannotExecute(HANGZHOU, id, abi.encodeWithSelector(IGovernance.TooEarly.selector, id, due));
        vm.assertEq(registry.governs(governor(NANJING)), NANJING, "still");
        pass(1, 1);
        as_(CHANGSHA);
        registry.execute(id);
        vm.assertEq(registry.governs(SUCCESSOR), NANJING, "the new one");
        vm.expectRevert(abi.encodeWithSelector(IMemberRegistry.NotGovernor.selector, governor(NANJING)));
        registry.governs(governor(NANJING));
        bytes memory taken = abi.encodeWithSelector(IMemberRegistry.AccountTaken.selector, governor(NANJING));
        _undecided(rekey(NANJING, governor(NANJING)), taken, true);
    }

    function testFuzz_theOldGovernorCancels(bool suspended, bool begun) external {
        bytes32 id = propose(HANGZHOU, rekey(NANJING, SUCCESSOR));
        approve(CHANGSHA, id);
        if (begun) as_(HANGZHOU);
        if (begun) registry.execute(id);
        if (suspended) decide(HANGZHOU, CHANGSHA, action(IGovernance.ActionKind.SUSPEND, NANJING));
        bytes memory not = abi.encodeWithSelector(IMemberRegistry.NotGovernor.selector, governor(HANGZHOU));
        refused(HANGZHOU, abi.encodeCall(registry.cancel, (id)), not);
        as_(NANJING);
        registry.cancel(id);
        pass(DELAY, 1);
        bytes memory over =
            abi.encodeWithSelector(IGovernance.ProposalOver.selector, id, IGovernance.ProposalState.CANCELLED);
        cannotExecute(HANGZHOU, id, over);
        refused(NANJING, abi.encodeCall(registry.cancel, (id)), over);
        bytes32 other = propose(HANGZHOU, action(IGovernance.ActionKind.REMOVE, NANJING));
        bytes memory never = abi.encodeWithSelector(IGovernance.NotCancellable.selector, other);
        refused(NANJING, abi.encodeCall(registry.cancel, (other)), never);
    }

    function test_typesAreGrantedAndEnded() external {
        as_(NANJING);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        decide(HANGZHOU, CHANGSHA, scopes(IGovernance.ActionKind.GRANT_TYPES, NANJING, TYPE_B));
        as_(NANJING);
        registry.accredit(AGENCY_A, TYPE_B, 0, FOREVER);
        as_(NANJING);
        registry.accredit(AGENCY_A, TYPE_A, 0, FOREVER);
        pass(5, 1);
        decide(HANGZHOU, CHANGSHA, scopes(IGovernance.ActionKind.END_TYPES, NANJING, TYPE_B));
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_A, time, number), "the other type");
        _accredited(time - 1, true);
        _accredited(time, false);
        pass(5, 1);
        decide(HANGZHOU, CHANGSHA, scopes(IGovernance.ActionKind.GRANT_TYPES, NANJING, TYPE_B));
        _accredited(time, false); // granted again is not accredited again
        as_(NANJING);
        registry.accredit(AGENCY_A, TYPE_B, 0, FOREVER);
        _accredited(time, true);
        _accredited(time - 1, false);
        bytes memory overlaps = abi.encodeWithSignature("TermOverlaps(uint64,uint64)", time, FOREVER);
        refused(NANJING, abi.encodeCall(registry.accredit, (AGENCY_A, TYPE_B, 0, FOREVER)), overlaps);
    }

    // ---------------------------------------------------------------- private

    function _accredited(uint64 asked, bool held) private view {
        vm.assertTrue(registry.accredited(AGENCY_A, TYPE_B, asked, number) == held, "accredited");
    }

    function _badAction(IGovernance.Action memory a) private {
        bytes memory bad = abi.encodeWithSelector(IGovernance.BadAction.selector, a.kind);
        refused(HANGZHOU, abi.encodeCall(registry.propose, (a)), bad);
    }

    function _newcomer() private pure returns (IGovernance.Action memory a) {
        a = action(IGovernance.ActionKind.ADMIT, 99);
        a.account = SUCCESSOR;
    }

    function _replace(uint32 city) private {
        bytes32 id = decide(HANGZHOU, CHANGSHA, rekey(city, SUCCESSOR));
        pass(DELAY, 1);
        as_(HANGZHOU);
        registry.execute(id);
    }

    /// @dev Hangzhou and Changsha agree, and the act itself is refused.
    function _undecided(IGovernance.Action memory a, bytes memory refusal) private {
        _undecided(a, refusal, false);
    }

    function _undecided(IGovernance.Action memory a, bytes memory refusal, bool delayed) private {
        bytes32 id = propose(HANGZHOU, a);
        approve(CHANGSHA, id);
        if (delayed) {
            as_(HANGZHOU);
            registry.execute(id);
            pass(DELAY, 1);
        }
        cannotExecute(HANGZHOU, id, refusal);
    }
}
