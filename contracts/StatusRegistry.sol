// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry, ROLE_STATUS} from "./interfaces/IMemberRegistry.sol";
import {IStatusRegistry, REASON_ANNULLED} from "./interfaces/IStatusRegistry.sol";

/// @title StatusRegistry: what no longer holds
/// @notice Read IStatusRegistry first: it is the specification.
/// @dev The only calls out are views of the registry, static calls, so there is no reentrancy to guard against.
contract StatusRegistry is IStatusRegistry {
    uint256 private constant MAX_ITEMS = 200;

    /// @dev Record, ordered for packing: two slots, four with a next certificate. `count` is the number of records,
    /// kept in record 0 only, in bits that are free there: a length of its own would cost a third slot.
    struct Stored {
        address actor;
        uint64 effectiveFrom;
        uint16 reason;
        uint8 status;
        uint64 recorded;
        uint64 time;
        uint64 count;
        bytes32 nextIssuer;
        bytes32 nextDigest;
    }

    /// @dev For whom the sender acts: found once for a whole list.
    struct Sender {
        uint32 city;
        bytes32 agency;
    }

    /// @inheritdoc IStatusRegistry
    IMemberRegistry public immutable override registry;
    /// @inheritdoc IStatusRegistry
    bytes32 public immutable override consortiumId;

    mapping(bytes32 issuer => mapping(bytes32 digest => mapping(uint256 index => Stored))) private _records;

    /// @param registry_ Who may set a status.
    constructor(IMemberRegistry registry_) {
        registry = registry_;
        consortiumId = registry_.consortiumId();
    }

    /// @inheritdoc IStatusRegistry
    function setStatus(Change calldata change) external {
        _set(_sender(), change);
    }

    /// @inheritdoc IStatusRegistry
    function setStatusMany(Change[] calldata changes) external {
        if (changes.length > MAX_ITEMS) revert TooManyItems(changes.length, MAX_ITEMS);
        Sender memory sender = _sender();
        for (uint256 i = 0; i < changes.length; ++i) {
            _set(sender, changes[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function records(bytes32 issuer, bytes32 digest) external view returns (Record[] memory all) {
        mapping(uint256 => Stored) storage stored = _records[issuer][digest];
        all = new Record[](stored[0].count);
        for (uint256 i = 0; i < all.length; ++i) {
            all[i] = _record(stored[i]);
        }
    }

    /// @inheritdoc IStatusRegistry
    function statusAt(bytes32 issuer, bytes32 digest, uint64 time, uint64 asOfBlock)
        external
        view
        returns (Record memory none)
    {
        mapping(uint256 => Stored) storage stored = _records[issuer][digest];
        for (uint256 i = stored[0].count; i > 0; --i) {
            Stored storage s = stored[i - 1];
            if (s.recorded <= asOfBlock && s.effectiveFrom <= time) return _record(s);
        }
    }

    function _sender() private view returns (Sender memory sender) {
        (sender.city, sender.agency) = registry.actsFor(msg.sender, ROLE_STATUS);
    }

    function _set(Sender memory sender, Change calldata change) private {
        mapping(uint256 => Stored) storage stored = _records[change.issuer][change.digest];
        uint64 count = stored[0].count;
        Stored memory newest;
        if (count != 0) newest = stored[count - 1];
        bool entitled = _isEntitled(sender, change.issuer);
        if (entitled && _repeats(newest, change)) return;
        Refusal code = entitled ? _refusal(newest.status, change) : Refusal.NOT_ENTITLED;
        if (code == Refusal.NONE) _append(stored, count, change);
        else emit StatusRefused(change.issuer, change.digest, change.status, code);
    }

    /// @dev For the issuer itself, or for one of those that succeed it. Direct first: it is the rule, and cheap.
    function _isEntitled(Sender memory sender, bytes32 issuer) private view returns (bool) {
        if (_actsUnder(sender, issuer)) return true;
        bytes32[] memory heirs = registry.successors(issuer);
        for (uint256 i = 0; i < heirs.length; ++i) {
            if (_actsUnder(sender, heirs[i])) return true;
        }
        return false;
    }

    /// @dev An agency's account writes under that agency (actsFor saw to it that it belongs to its city now), a city's
    /// account under every agency of the city: that city alone is asked, so that no other can make the answer dear.
    /// Issuer 0 belongs to no city.
    function _actsUnder(Sender memory sender, bytes32 issuer) private view returns (bool) {
        if (sender.agency != 0) return sender.agency == issuer;
        return registry.isMember(issuer, sender.city, uint64(block.timestamp), uint64(block.number));
    }

    /// @dev A record always has a reason, so a change is never taken for a repeat of "no record".
    function _repeats(Stored memory newest, Change calldata change) private pure returns (bool) {
        return newest.reason != 0 && newest.reason == change.reason && newest.status == change.status
            && newest.nextIssuer == change.nextIssuer && newest.nextDigest == change.nextDigest
            && (change.effectiveFrom == 0 || newest.effectiveFrom == change.effectiveFrom);
    }

    /// @dev The order is IStatusRegistry.Refusal's.
    function _refusal(uint8 current, Change calldata change) private view returns (Refusal) {
        if (change.digest == 0) return Refusal.NO_DIGEST;
        if (!_isStep(current, change.status)) return Refusal.BAD_TRANSITION;
        if (change.reason == 0) return Refusal.NO_REASON;
        if (!_isTimely(change)) return Refusal.BAD_EFFECTIVE_FROM;
        return _isNextSound(change) ? Refusal.NONE : Refusal.BAD_NEXT;
    }

    function _isStep(uint8 current, uint8 status) private pure returns (bool) {
        if (current > uint8(Status.SUSPENDED)) return false;
        if (status == uint8(Status.ACTIVE)) return current == uint8(Status.SUSPENDED);
        if (status == uint8(Status.SUSPENDED)) return current == uint8(Status.ACTIVE);
        return
            status == uint8(Status.REVOKED) || status == uint8(Status.CANCELLED) || status == uint8(Status.SUPERSEDED);
    }

    function _isTimely(Change calldata change) private view returns (bool) {
        if (change.effectiveFrom == 0 || change.effectiveFrom == block.timestamp) return true;
        return change.effectiveFrom < block.timestamp && change.status == uint8(Status.REVOKED)
            && change.reason == REASON_ANNULLED;
    }

    function _isNextSound(Change calldata change) private pure returns (bool) {
        if (change.status != uint8(Status.SUPERSEDED)) return change.nextIssuer == 0 && change.nextDigest == 0;
        bool itself = change.nextIssuer == change.issuer && change.nextDigest == change.digest;
        return change.nextIssuer != 0 && change.nextDigest != 0 && !itself;
    }

    function _append(mapping(uint256 => Stored) storage stored, uint64 count, Change calldata change) private {
        uint64 time = uint64(block.timestamp);
        uint64 from = change.effectiveFrom == 0 ? time : change.effectiveFrom;
        Stored storage s = stored[count];
        s.actor = msg.sender;
        s.effectiveFrom = from;
        s.reason = change.reason;
        s.status = change.status;
        s.recorded = uint64(block.number);
        s.time = time;
        stored[0].count = count + 1;
        if (change.nextDigest != 0) {
            s.nextIssuer = change.nextIssuer;
            s.nextDigest = change.nextDigest;
        }
        emit StatusChanged(
            change.issuer,
            change.digest,
            change.status,
            change.reason,
            from,
            change.nextIssuer,
            change.nextDigest,
            msg.sender
        );
    }

    function _record(Stored memory s) private pure returns (Record memory) {
        return Record(s.status, s.reason, s.effectiveFrom, s.nextIssuer, s.nextDigest, s.actor, s.recorded, s.time);
    }
}
