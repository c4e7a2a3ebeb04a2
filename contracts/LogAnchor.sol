// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

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
    uint32 private constant EPOCH = 0;

    /// @dev Two slots: the root, and the rest packed.
    struct Latest {
        bytes32 root;
        uint64 size;
        uint64 prevSize;
        uint64 blockNumber;
        uint64 time;
    }

    /// @inheritdoc ILogAnchor
    IMemberRegistry public immutable override registry;
    /// @inheritdoc ILogAnchor
    bytes32 public immutable override consortiumId;
    /// @inheritdoc ILogAnchor
    uint64 public immutable override minInterval;

    mapping(bytes32 log => Latest) private _latest;
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
    function logId(uint32 city, bytes32 streamId, uint32 epoch) public pure returns (bytes32) {
        return keccak256(abi.encode(city, streamId, epoch));
    }

    /// @inheritdoc ILogAnchor
    function currentEpoch(uint32, bytes32) external pure returns (uint32) {
        return EPOCH;
    }

    /// @inheritdoc ILogAnchor
    function head(bytes32 logId_) external view returns (Head memory) {
        Latest memory l = _latest[logId_];
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
        bytes32 log = logId(city, streamId, EPOCH);
        Latest memory latest = _latest[log];
        if (size != 0 && size == latest.size && root == latest.root) return;
        Refusal code = _refusal(latest, size, root, proof);
        if (code != Refusal.NONE) {
            emit HeadRefused(log, size, root, code);
            return;
        }
        uint64 time = uint64(block.timestamp);
        uint64 number = uint64(block.number);
        _latest[log] = Latest(root, size, latest.size, number, time);
        _history[_key(log, size)] = keccak256(abi.encode(root, latest.size, number, time));
        emit HeadPublished(log, city, streamId, EPOCH, size, root, latest.size, time);
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
        if (latest.size == 0) return proof.length == 0 ? Refusal.NONE : Refusal.FIRST_WITH_PROOF;
        if (block.timestamp - latest.time < minInterval) return Refusal.TOO_SOON;
        bool grows = MerkleProof9162.verifyConsistency(latest.size, size, latest.root, root, proof);
        return grows ? Refusal.NONE : Refusal.BAD_PROOF;
    }

    function _key(bytes32 log, uint64 size) private pure returns (bytes32) {
        return keccak256(abi.encode(log, size));
    }
}
