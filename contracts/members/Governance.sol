// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "../interfaces/IGovernance.sol";
import {ROLE_PUBLISH, ROLE_STATUS} from "../interfaces/IMemberRegistry.sol";
import {Accounts} from "./Accounts.sol";

/// @title Proposals, approvals, and what they do
/// @notice Read IGovernance first: it is the specification.
abstract contract Governance is Accounts {
    uint64 private constant LIFETIME = 30 days;
    uint64 private constant REKEY_DELAY = 7 days;

    struct ProposalRecord {
        Proposal row;
        Action action;
        Approval[] approvals;
    }

    bytes32[] private _proposalIds;
    mapping(bytes32 id => ProposalRecord) private _proposals;

    /// @inheritdoc IGovernance
    function propose(Action memory action) external returns (bytes32 id) {
        uint32 own = _voter(action.city);
        _requireForm(action);
        uint64 number = uint64(_proposalIds.length);
        id = keccak256(abi.encode(consortiumId, block.chainid, address(this), number, action));
        _proposalIds.push(id);
        ProposalRecord storage record = _proposals[id];
        uint64 present = uint64(block.timestamp);
        uint64 expires = present + LIFETIME;
        record.row = Proposal(ProposalState.OPEN, own, number, present, expires, 0);
        record.action = action;
        emit ProposalMade(id, own, number, expires, action);
        _approve(id, own);
    }

    /// @inheritdoc IGovernance
    function approve(bytes32 id) external {
        uint32 own = _voter(_open(id).action.city);
        _approve(id, own);
    }

    /// @inheritdoc IGovernance
    function execute(bytes32 id) external {
        _governedCity();
        ProposalRecord storage record = _open(id);
        (uint256 counted, uint256 needed) = tally(id);
        if (counted < needed) revert NotEnoughApprovals(id, counted, needed);
        if (record.action.kind == ActionKind.REKEY && record.row.due == 0) {
            _beginRekey(id);
            return;
        }
        if (block.timestamp < record.row.due) revert TooEarly(id, record.row.due);
        record.row.state = ProposalState.EXECUTED;
        _perform(record.action);
        emit ProposalExecuted(id, counted, needed);
    }

    /// @inheritdoc IGovernance
    function cancel(bytes32 id) external {
        ProposalRecord storage record = _standing(id);
        if (record.action.kind != ActionKind.REKEY) revert NotCancellable(id);
        if (_cities[record.action.city].row.governor != msg.sender) revert NotGovernor(msg.sender);
        record.row.state = ProposalState.CANCELLED;
        emit ProposalCancelled(id);
    }

    /// @inheritdoc IGovernance
    function proposalCount() external view returns (uint256) {
        return _proposalIds.length;
    }

    /// @inheritdoc IGovernance
    function proposalIdAt(uint256 number) external view returns (bytes32) {
        return number < _proposalIds.length ? _proposalIds[number] : bytes32(0);
    }

    /// @inheritdoc IGovernance
    function proposal(bytes32 id)
        external
        view
        returns (Proposal memory row, Action memory action, Approval[] memory approvals)
    {
        ProposalRecord storage record = _proposals[id];
        return (record.row, record.action, record.approvals);
    }

    /// @inheritdoc IGovernance
    function tally(bytes32 id) public view returns (uint256 counted, uint256 needed) {
        ProposalRecord storage record = _proposals[id];
        if (record.row.state == ProposalState.NONE) return (0, 0);
        for (uint256 i = 0; i < record.approvals.length; ++i) {
            Approval memory given = record.approvals[i];
            if (_cities[given.city].row.governor == given.governor && _activeNow(given.city)) ++counted;
        }
        needed = approvalsNeeded(record.action.city);
    }

    /// @inheritdoc IGovernance
    function approvalsNeeded(uint32 target) public view returns (uint256) {
        uint256 voters = _activeCities(target);
        uint256 majority = voters / 2 + 1;
        return voters == 1 || majority > 2 ? majority : 2;
    }

    /// @dev A city that is there from now on, as it was proposed or founded.
    function _found(Founder memory founder) internal {
        uint32 id = founder.city;
        _admit(id, founder.division, founder.governor);
        for (uint256 i = 0; i < founder.types.length; ++i) {
            _grant(id, founder.types[i]);
        }
        for (uint256 i = 0; i < founder.hot.length; ++i) {
            _addAccount(
                founder.hot[i], AccountRow({city: id, roles: ROLE_PUBLISH | ROLE_STATUS, agency: 0}), 0, OPEN_ENDED
            );
        }
        if (bytes(founder.endpoint).length != 0) _setEndpoint(id, founder.endpoint);
    }

    /// @dev The sender's city, which must have a vote about `target`.
    function _voter(uint32 target) private view returns (uint32 own) {
        own = _governedCity();
        if (own == target) revert NoVoteOnOneself(own);
    }

    /// @dev One approval of each governor; repeated, it changes nothing.
    function _approve(bytes32 id, uint32 own) private {
        Approval[] storage approvals = _proposals[id].approvals;
        for (uint256 i = 0; i < approvals.length; ++i) {
            if (approvals[i].governor == msg.sender) return;
        }
        approvals.push(Approval({city: own, governor: msg.sender}));
        emit ProposalApproved(id, own, msg.sender);
    }

    function _beginRekey(bytes32 id) private {
        ProposalRecord storage record = _proposals[id];
        uint64 due = uint64(block.timestamp) + REKEY_DELAY;
        uint64 expires = due + LIFETIME;
        (record.row.due, record.row.expires) = (due, expires);
        emit RekeyBegun(id, record.action.city, due, expires);
    }

    function _perform(Action memory action) private {
        uint32 target = action.city;
        ActionKind kind = action.kind;
        // Carried out by the LogAnchor that it names, which reads the decision here; a removed city's logs remain.
        if (kind == ActionKind.CLOSE_EPOCH) return;
        if (cityRemoved(target)) revert CityGone(target);
        if (kind == ActionKind.ADMIT) _found(_founder(action));
        else if (kind == ActionKind.SUSPEND) _suspend(target);
        else if (kind == ActionKind.REINSTATE) _reinstate(target);
        else if (kind == ActionKind.REMOVE) _remove(target);
        else if (kind == ActionKind.REKEY) _replaceGovernor(target, action.account);
        else _changeScope(target, action.types, kind == ActionKind.GRANT_TYPES);
    }

    function _changeScope(uint32 target, bytes32[] memory types, bool grants) private {
        for (uint256 i = 0; i < types.length; ++i) {
            if (grants) _grant(target, types[i]);
            else _endScope(target, types[i]);
        }
    }

    function _founder(Action memory a) private pure returns (Founder memory) {
        return Founder(a.city, a.division, a.account, a.hot, a.types, a.endpoint);
    }

    function _standing(bytes32 id) private view returns (ProposalRecord storage record) {
        record = _proposals[id];
        ProposalState state = record.row.state;
        if (state == ProposalState.NONE) revert UnknownProposal(id);
        if (state != ProposalState.OPEN) revert ProposalOver(id, state);
    }

    function _open(bytes32 id) private view returns (ProposalRecord storage record) {
        record = _standing(id);
        if (block.timestamp >= record.row.expires) revert ProposalExpired(id, record.row.expires);
    }

    /// @dev What can be seen from the action alone, so that nobody votes on what could never be executed.
    function _requireForm(Action memory a) private view {
        if (!_hasItsFields(a)) revert BadAction(a.kind);
        if (a.kind != ActionKind.ADMIT && _cities[a.city].row.governor == address(0)) revert UnknownCity(a.city);
        for (uint256 i = 0; i < a.types.length; ++i) {
            _requireCode(a.types[i], TYPE_LENGTH);
        }
        _requireEndpoint(a.endpoint);
    }

    function _hasItsFields(Action memory a) private pure returns (bool) {
        bool admits = a.kind == ActionKind.ADMIT;
        bool closes = a.kind == ActionKind.CLOSE_EPOCH;
        bool scopes = a.kind == ActionKind.GRANT_TYPES || a.kind == ActionKind.END_TYPES;
        bool hasAccount = admits || closes || a.kind == ActionKind.REKEY;
        if (a.kind == ActionKind.NONE || a.city == 0) return false;
        if ((a.account != address(0)) != hasAccount || (a.streamId != 0) != closes) return false;
        if (scopes ? a.types.length == 0 : !admits && a.types.length != 0) return false;
        if (!admits && (a.division != 0 || a.hot.length != 0 || bytes(a.endpoint).length != 0)) return false;
        return closes || (a.epoch == 0 && a.size == 0);
    }
}
