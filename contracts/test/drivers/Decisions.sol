// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../../interfaces/IGovernance.sol";
import {IMemberRegistry} from "../../interfaces/IMemberRegistry.sol";
import {Deciding} from "../Deciding.sol";

/// @title Everything that cities decide about each other, in any order
/// @dev As drivers/Publishing. Whether a call goes through is foretold from what the acts themselves brought about,
/// never from the registry, and votes are counted from scratch.
contract Decisions is Deciding {
    uint32 public constant MOST = 6; // cities that may come to be
    uint256 internal constant ADDRESSES = 12; // so few that some are proposed twice

    bytes32[] public ids;
    mapping(uint32 city => bool) public on;
    mapping(uint32 city => bool) public gone;
    mapping(uint32 city => bool) public granted; // TYPE_B
    mapping(uint32 city => address) public governorOf;
    mapping(address => bool) internal used;
    mapping(bytes32 id => mapping(address governor => bool)) internal approved;
    mapping(bytes32 id => IGovernance.Action) internal wanted;
    mapping(bytes32 id => uint64) internal expires;
    mapping(bytes32 id => uint64) public due;
    mapping(bytes32 id => bool) internal over;
    mapping(IGovernance.ActionKind => uint256) public executed;
    uint256 public refusals;
    uint256 public cancelled;

    constructor() {
        deploy();
        for (uint32 city = 1; city <= CITIES; ++city) {
            (on[city], governorOf[city]) = (true, governor(city));
            (used[governor(city)], used[hot(city)]) = (true, true);
        }
    }

    // ------------------------------------------------------------------- acts

    function make(uint256 seed) external {
        pass(draw(seed, 0) % 1 days, 1);
        uint32 by = _city(seed, 1);
        IGovernance.Action memory a = _action(seed);
        bool known = a.kind == IGovernance.ActionKind.ADMIT || governorOf[a.city] != address(0);
        vm.prank(_sender(by));
        try registry.propose(a) returns (bytes32 id) {
            vm.assertTrue(on[by] && by != a.city && known, "proposed");
            ids.push(id);
            (wanted[id], expires[id]) = (a, time + LIFETIME);
            approved[id][governorOf[by]] = true;
        } catch {
            vm.assertTrue(!on[by] || by == a.city || !known, "refused a sound proposal");
            ++refusals;
        }
    }

    /// @dev Each city that the dice say approves.
    function agree(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = _proposal(seed);
        for (uint32 city = 1; city <= MOST; ++city) {
            if (draw(seed, city) % 3 == 0) continue;
            bool sound = on[city] && city != wanted[id].city && !over[id] && time < expires[id];
            vm.prank(_sender(city));
            try registry.approve(id) {
                vm.assertTrue(sound, "approved");
                approved[id][governorOf[city]] = true;
            } catch {
                vm.assertTrue(!sound, "refused a sound approval");
                ++refusals;
            }
        }
    }

    function carryOut(uint256 seed, bool wait) external {
        if (ids.length == 0) return;
        bytes32 id = _proposal(seed);
        pass(wait ? DELAY : draw(seed, 0) % 1 hours, 1);
        uint32 by = _city(seed, 1);
        bool sound = on[by] && !over[id] && time < expires[id] && _enough(id) && _possible(id);
        vm.prank(_sender(by));
        try registry.execute(id) {
            vm.assertTrue(sound, "executed");
            _follow(id);
        } catch {
            vm.assertTrue(!sound, "refused a sound execution");
            ++refusals;
        }
    }

    /// @dev A governor, mostly the one who would be replaced.
    function cancel(uint256 seed) external {
        if (ids.length == 0) return;
        bytes32 id = _proposal(seed);
        address by = draw(seed, 0) % 3 == 0 ? _sender(_city(seed, 1)) : governorOf[wanted[id].city];
        bool sound = !over[id] && wanted[id].kind == IGovernance.ActionKind.REKEY && by == governorOf[wanted[id].city];
        vm.prank(by);
        try registry.cancel(id) {
            vm.assertTrue(sound, "cancelled");
            over[id] = true;
            ++cancelled;
        } catch {
            vm.assertTrue(!sound, "refused a sound cancellation");
            ++refusals;
        }
    }

    // ------------------------------------------------------------------ reads

    function count() external view returns (uint256) {
        return ids.length;
    }

    function isActive(uint32 city) external view returns (bool) {
        return active(city);
    }

    function isRemoved(uint32 city) external view returns (bool) {
        return registry.cityRemoved(city);
    }

    function mayGrant(uint32 city) external view returns (bool) {
        return registry.inScope(city, TYPE_B, time, number);
    }

    function governorNow(uint32 city) external view returns (address) {
        (IMemberRegistry.City memory row,) = registry.city(city);
        return row.governor;
    }

    function stateOf(bytes32 id) external view returns (IGovernance.ProposalState state, bool isOver) {
        (IGovernance.Proposal memory row,,) = registry.proposal(id);
        return (row.state, over[id]);
    }

    // ------------------------------------------------------------- foretelling

    function _enough(bytes32 id) private view returns (bool) {
        uint256 voters = 0;
        uint256 counted = 0;
        for (uint32 city = 1; city <= MOST; ++city) {
            if (!on[city] || city == wanted[id].city) continue;
            ++voters;
            if (approved[id][governorOf[city]]) ++counted;
        }
        return voters == 1 ? counted == 1 : counted >= 2 && 2 * counted > voters;
    }

    function _possible(bytes32 id) private view returns (bool) {
        IGovernance.Action storage a = wanted[id];
        uint32 city = a.city;
        if (a.kind == IGovernance.ActionKind.ADMIT) return governorOf[city] == address(0) && !used[a.account];
        if (a.kind == IGovernance.ActionKind.REKEY) {
            return due[id] == 0 || (time >= due[id] && !gone[city] && !used[a.account]);
        }
        if (gone[city]) return false;
        if (a.kind == IGovernance.ActionKind.SUSPEND) return on[city];
        if (a.kind == IGovernance.ActionKind.REINSTATE) return !on[city];
        if (a.kind == IGovernance.ActionKind.GRANT_TYPES) return !granted[city];
        if (a.kind == IGovernance.ActionKind.END_TYPES) return granted[city];
        return true;
    }

    function _follow(bytes32 id) private {
        IGovernance.Action storage a = wanted[id];
        uint32 city = a.city;
        if (a.kind == IGovernance.ActionKind.REKEY && due[id] == 0) {
            (due[id], expires[id]) = (time + DELAY, time + DELAY + LIFETIME);
            return;
        }
        over[id] = true;
        ++executed[a.kind];
        if (a.kind == IGovernance.ActionKind.ADMIT) on[city] = true;
        else if (a.kind == IGovernance.ActionKind.SUSPEND) on[city] = false;
        else if (a.kind == IGovernance.ActionKind.REINSTATE) on[city] = true;
        else if (a.kind == IGovernance.ActionKind.REMOVE) (on[city], gone[city]) = (false, true);
        else if (a.kind == IGovernance.ActionKind.GRANT_TYPES) granted[city] = true;
        else if (a.kind == IGovernance.ActionKind.END_TYPES) granted[city] = false;
        if (a.account != address(0)) (governorOf[city], used[a.account]) = (a.account, true);
    }

    // ------------------------------------------------------------------ draws

    /// @dev The governor of the city; of one that is not there yet, a stranger.
    function _sender(uint32 city) private view returns (address) {
        return governorOf[city] == address(0) ? STRANGER : governorOf[city];
    }

    function _city(uint256 seed, uint256 i) private pure returns (uint32) {
        return uint32(1 + draw(seed, i) % MOST);
    }

    /// @dev One of the last few, so that approvals meet.
    function _proposal(uint256 seed) private view returns (bytes32) {
        uint256 few = ids.length < 4 ? ids.length : 4;
        return ids[ids.length - 1 - draw(seed, 20) % few];
    }

    function _action(uint256 seed) private pure returns (IGovernance.Action memory a) {
        uint256 dice = draw(seed, 21);
        address account = address(uint160(0x90000 + draw(seed, 22) % ADDRESSES));
        uint32 city = _city(seed, 23);
        if (dice % 16 < 5) {
            a = action(IGovernance.ActionKind.ADMIT, city);
            a.account = account;
        } else if (dice % 16 < 7) {
            a = rekey(city, account);
        } else if (dice % 16 < 8) {
            a = action(IGovernance.ActionKind.REMOVE, city);
        } else if (dice % 16 < 12) {
            a = action(IGovernance.ActionKind(dice % 2 == 0 ? 2 : 3), city);
        } else {
            a = scopes(IGovernance.ActionKind(dice % 2 == 0 ? 6 : 7), city, TYPE_B);
        }
    }
}
