// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "./interfaces/IGovernance.sol";
import {ILogAnchor} from "./interfaces/ILogAnchor.sol";
import {IMemberRegistry, ROLE_PUBLISH} from "./interfaces/IMemberRegistry.sol";
import {MerkleProof9162} from "./MerkleProof9162.sol";

/// @title LogAnchor: every log only grows
/// @notice Read ILogAnchor first: it is the specification.
/// @dev The only calls out are views of the registry and the SHA-256 precompile, both static calls, so there is no
/// reentrancy to guard against. History costs one slot per head: the values are in the event, the slot proves them.
contract LogAnchor is ILogAnchor {
    uint256 private constant MAX_ITEMS = 64;
    uint256 private constant MAX_PROOF = 64;
    uint64 private constant MAX_GROWTH = 2 ** 32;

    /// @dev Two slots: the root, and the rest packed. 48 bits of blocks and seconds are millions of years; they make
    /// room for the epoch, which would cost each head a slot of its own.
    struct Latest {
        bytes32 root;
        uint64 size;
        uint64 prevSize;
        uint48 blockNumber;
        uint48 time;
        uint32 epoch;
    }

    /// @dev A closed epoch: its newest head, and how it ended.
    struct Closed {
        Latest latest;
        Closing closing;
    }

    /// @inheritdoc ILogAnchor
    IMemberRegistry public immutable override registry;
    /// @inheritdoc ILogAnchor
    bytes32 public immutable override consortiumId;
    /// @inheritdoc ILogAnchor
    uint64 public immutable override minInterval;

    /// @dev The newest head of a stream's current epoch, under the log id of epoch 0: found without knowing the epoch.
    mapping(bytes32 stream => Latest) private _latest;
    mapping(bytes32 log => Closed) private _closed;
    /// @dev From the log of an epoch after the first to the key of `_latest`; 0 for epoch 0, which is its own key.
    mapping(bytes32 log => bytes32 stream) private _streamOf;
    /// @dev keccak256(log, size) => keccak256(root, prevSize, blockNumber, time).
    mapping(bytes32 logAndSize => bytes32) private _history;

    /// @param registry_ Who may publish.
    /// @param minInterval_ Seconds between two heads of one log.
    constructor(IMemberRegistry registry_, uint64 minInterval_) {
        registry = registry_;
        consortiumId = registry_.consortiumId();
        minInterval = minInterval_;
    }

    /// @inheritdoc ILogAnchor
    function publish(bytes32 streamId, uint64 size, bytes32 root, bytes32[] calldata proof) external {
        _publish(_senderCity(), streamId, size, root, proof);
    }

    /// @inheritdoc ILogAnchor
    function publishMany(Item[] calldata items) external {
        if (items.length > MAX_ITEMS) revert TooManyItems(items.length, MAX_ITEMS);
        uint32 city = _senderCity();
        for (uint256 i = 0; i < items.length; ++i) {
            Item calldata item = items[i];
            _publish(city, item.streamId, item.size, item.root, item.proof);
        }
    }

    /// @inheritdoc ILogAnchor
    function closeEpoch(bytes32 streamId, uint64 lastGoodSize) external {
        _close(registry.governs(msg.sender), streamId, lastGoodSize, 0);
    }

    /// @inheritdoc ILogAnchor
    function closeEpochDecided(bytes32 proposal) external {
        (IGovernance.Proposal memory row, IGovernance.Action memory action,) = registry.proposal(proposal);
        bool decided = action.kind == IGovernance.ActionKind.CLOSE_EPOCH && action.account == address(this)
            && row.state == IGovernance.ProposalState.EXECUTED && block.timestamp < row.expires;
        if (!decided) revert NotDecided(proposal);
        uint32 current = currentEpoch(action.city, action.streamId);
        if (action.epoch != current) revert NotCurrentEpoch(action.epoch, current);
        _close(action.city, action.streamId, action.size, proposal);
    }

    /// @inheritdoc ILogAnchor
    function logId(uint32 city, bytes32 streamId, uint32 epoch) public pure returns (bytes32) {
        return keccak256(abi.encode(city, streamId, epoch));
    }

    /// @inheritdoc ILogAnchor
    function currentEpoch(uint32 city, bytes32 streamId) public view returns (uint32) {
        return _latest[logId(city, streamId, 0)].epoch;
    }

    /// @inheritdoc ILogAnchor
    function epochClosedAt(bytes32 logId_) external view returns (Closing memory) {
        return _closed[logId_].closing;
    }

    /// @inheritdoc ILogAnchor
    function head(bytes32 logId_) external view returns (Head memory) {
        bytes32 stream = _streamOf[logId_];
        bool closed = _closed[logId_].closing.closed;
        Latest memory l = closed ? _closed[logId_].latest : _latest[stream == 0 ? logId_ : stream];
        return Head(l.size, l.root, l.prevSize, l.blockNumber, l.time);
    }

    /// @inheritdoc ILogAnchor
    function isHead(bytes32 logId_, uint64 size, bytes32 root, uint64 prevSize, uint64 blockNumber, uint64 time)
        external
        view
        returns (bool)
    {
        return _history[_key(logId_, size)] == keccak256(abi.encode(root, prevSize, blockNumber, time));
    }

    /// @inheritdoc ILogAnchor
    function verifyInclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata proof, bytes32 root)
        external
        view
        returns (bool)
    {
        return MerkleProof9162.verifyInclusion(leafHash, index, size, proof, root);
    }

    /// @inheritdoc ILogAnchor
    function verifyConsistency(uint64 size1, uint64 size2, bytes32 root1, bytes32 root2, bytes32[] calldata proof)
        external
        view
        returns (bool)
    {
        return MerkleProof9162.verifyConsistency(size1, size2, root1, root2, proof);
    }

    function _senderCity() private view returns (uint32 city) {
        (city,) = registry.actsFor(msg.sender, ROLE_PUBLISH);
    }

    function _publish(uint32 city, bytes32 streamId, uint64 size, bytes32 root, bytes32[] calldata proof) private {
        bytes32 stream = logId(city, streamId, 0);
        Latest memory latest = _latest[stream];
        if (size != 0 && size == latest.size && root == latest.root) return;
        bytes32 log = latest.epoch == 0 ? stream : logId(city, streamId, latest.epoch);
        Refusal code = _refusal(latest, size, root, proof);
        if (code == Refusal.NONE && latest.size == 0 && _isFrozen(city, streamId, latest.epoch, size, root)) {
            code = Refusal.EPOCH_CLOSED;
        }
        if (code != Refusal.NONE) {
            emit HeadRefused(log, size, root, code);
            return;
        }
        uint64 time = uint64(block.timestamp);
        uint64 number = uint64(block.number);
        _latest[stream] = Latest(root, size, latest.size, uint48(number), uint48(time), latest.epoch);
        _history[_key(log, size)] = keccak256(abi.encode(root, latest.size, number, time));
        emit HeadPublished(log, city, streamId, latest.epoch, size, root, latest.size, time);
    }

    /// @dev Ends the current epoch. An epoch without a head cannot be closed: nothing of it is on chain, and its first
    /// head, if it were under way, would become the first of the next epoch.
    function _close(uint32 city, bytes32 streamId, uint64 lastGoodSize, bytes32 proposal) private {
        bytes32 stream = logId(city, streamId, 0);
        Latest memory latest = _latest[stream];
        bytes32 log = logId(city, streamId, latest.epoch);
        if (latest.size == 0) revert NothingToClose(log);
        if (lastGoodSize > latest.size) revert BadLastGoodSize(lastGoodSize, latest.size);
        uint64 time = uint64(block.timestamp);
        uint32 next = latest.epoch + 1;
        _closed[log] = Closed(latest, Closing(true, lastGoodSize, uint64(block.number), time));
        _streamOf[logId(city, streamId, next)] = stream;
        _latest[stream] = Latest(0, 0, 0, 0, 0, next);
        emit EpochClosed(log, city, streamId, latest.epoch, lastGoodSize, latest.size, time, proposal);
    }

    /// @dev Whether this is the newest head of the epoch before: a publisher that repeats itself across the closing.
    function _isFrozen(uint32 city, bytes32 streamId, uint32 epoch, uint64 size, bytes32 root)
        private
        view
        returns (bool)
    {
        if (epoch == 0) return false;
        Latest storage last = _closed[logId(city, streamId, epoch - 1)].latest;
        return last.size == size && last.root == root;
    }

    /// @dev The order is ILogAnchor.Refusal's: cheap and certain first, the proof last.
    function _refusal(Latest memory latest, uint64 size, bytes32 root, bytes32[] calldata proof)
        private
        view
        returns (Refusal)
    {
        if (size == 0) return Refusal.EMPTY;
        if (proof.length > MAX_PROOF) return Refusal.PROOF_LENGTH;
        if (size < latest.size) return Refusal.STALE;
        if (size == latest.size) return Refusal.EQUIVOCATION;
        if (size - latest.size > MAX_GROWTH) return Refusal.TOO_LARGE;
        if (latest.size == 0) {
            if (proof.length == 0) return Refusal.NONE;
            return latest.epoch == 0 ? Refusal.FIRST_WITH_PROOF : Refusal.EPOCH_CLOSED;
        }
        if (block.timestamp - latest.time < minInterval) return Refusal.TOO_SOON;
        bool grows = MerkleProof9162.verifyConsistency(latest.size, size, latest.root, root, proof);
        return grows ? Refusal.NONE : Refusal.BAD_PROOF;
    }

    function _key(bytes32 log, uint64 size) private pure returns (bytes32) {
        return keccak256(abi.encode(log, size));
    }
}
