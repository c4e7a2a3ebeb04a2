// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "./IMemberRegistry.sol";

/// @title The newest head of every log, replaced only by a head that provably extends it
/// @notice A log is one stream of one city in one epoch: an append-only Merkle tree (RFC 9162 §2.1, SHA-256). Its head
/// is (size, root). The city follows from the sender, so nobody can name another city's log.
///
/// A publisher may send anything any number of times: a head that is already the newest changes nothing, any other bad
/// head emits HeadRefused and changes nothing. Only a sender who may not publish at all reverts, and a list that is
/// too long, because on some chains a reverted transaction strands the sender's queue.
///
/// Epochs. When a log can no longer be continued (its database was restored from an older copy, or somebody published
/// leaves that the city never recorded), the city's governor, or the cities by IGovernance.ActionKind.CLOSE_EPOCH, end
/// its epoch and say how many of its entries stand. That log is frozen; the next head of the stream is the first one
/// of the next epoch, which is another log. Every later head of the old epoch is refused: it carries a proof, and a
/// first head has none.
///
/// What a verifier must check: a head counts if `isHead` says that it was accepted AND the log's epoch is open or was
/// closed with `lastGoodSize >= size` (`epochClosedAt`). isHead alone is history and stays true for ever; a head
/// above lastGoodSize is void, whenever it was accepted, and so is every entry that no other head covers.
interface ILogAnchor {
    // ------------------------------------------------------------------ types

    /// @notice Why a head was refused, checked in this order. Frozen: clients store these numbers.
    /// EMPTY the size is 0.
    /// PROOF_LENGTH more than 64 hashes.
    /// STALE smaller than the newest head; an older head that is sent again lands here too.
    /// EQUIVOCATION as large as the newest head, with another root: the log has two histories.
    /// TOO_LARGE grows by more than 2^32 leaves at once, a first head from 0.
    /// FIRST_WITH_PROOF a first head has nothing to be consistent with.
    /// TOO_SOON less than `minInterval` after the newest head.
    /// BAD_PROOF the consistency proof does not lead from the newest head to this one.
    /// EPOCH_CLOSED instead of FIRST_WITH_PROOF, where an earlier epoch was closed: this head is meant for that one;
    /// also a first head that is the newest head of the epoch before.
    enum Refusal {
        NONE,
        EMPTY,
        PROOF_LENGTH,
        STALE,
        EQUIVOCATION,
        TOO_LARGE,
        FIRST_WITH_PROOF,
        TOO_SOON,
        BAD_PROOF,
        EPOCH_CLOSED
    }

    /// @notice A head to publish.
    /// @param streamId Name of the stream, ASCII, left-aligned, zero-padded.
    /// @param size Number of leaves, at least 1.
    /// @param root Root of the tree of the first `size` leaves (RFC 9162 §2.1.1).
    /// @param proof Consistency proof from the newest head (RFC 9162 §2.1.4.1), at most 64 hashes; empty for a first head.
    struct Item {
        bytes32 streamId;
        uint64 size;
        bytes32 root;
        bytes32[] proof;
    }

    /// @notice The newest head of a log; all zero if it has none.
    /// @param size Number of leaves.
    /// @param root Root of the tree.
    /// @param prevSize Size of the head before it; 0 for a first head. The head is the first that covers the leaves
    /// with prevSize <= index < size.
    /// @param blockNumber Block that accepted it.
    /// @param time Time of that block (Unix seconds).
    struct Head {
        uint64 size;
        bytes32 root;
        uint64 prevSize;
        uint64 blockNumber;
        uint64 time;
    }

    /// @notice The end of an epoch; all zero while it is open.
    /// @param closed Whether it was closed.
    /// @param lastGoodSize How many of its entries stand, from the first on; heads above are void.
    /// @param blockNumber Block that closed it.
    /// @param time Time of that block (Unix seconds).
    struct Closing {
        bool closed;
        uint64 lastGoodSize;
        uint64 blockNumber;
        uint64 time;
    }

    // ----------------------------------------------------------------- events

    /// @notice A head was accepted. With the number of the block these are all the values that `isHead` asks for.
    event HeadPublished(
        bytes32 indexed logId,
        uint32 indexed city,
        bytes32 indexed streamId,
        uint32 epoch,
        uint64 size,
        bytes32 root,
        uint64 prevSize,
        uint64 time
    );

    /// @notice A head was refused and changed nothing.
    event HeadRefused(bytes32 indexed logId, uint64 size, bytes32 root, Refusal code);

    /// @notice An epoch was closed; heads of this stream are published in `epoch` + 1 from now on.
    /// @param lastGoodSize How many entries of the log stand.
    /// @param size Size of its newest head: the entries from `lastGoodSize` on are disowned.
    /// @param proposal The decision of the cities that this carries out; 0 = the city's governor closed it.
    event EpochClosed(
        bytes32 indexed logId,
        uint32 indexed city,
        bytes32 indexed streamId,
        uint32 epoch,
        uint64 lastGoodSize,
        uint64 size,
        uint64 time,
        bytes32 proposal
    );

    // ----------------------------------------------------------------- errors

    /// @notice The list holds more items than one transaction may carry.
    error TooManyItems(uint256 count, uint256 limit);

    /// @notice The current epoch of this stream has no head: there is nothing to close.
    error NothingToClose(bytes32 logId);

    /// @notice More entries than the newest head has cannot stand.
    error BadLastGoodSize(uint64 given, uint64 size);

    /// @notice No decision to close an epoch in this contract, or not executed, or it has expired.
    error NotDecided(bytes32 proposal);

    /// @notice The decision is about an epoch that is not the current one.
    error NotCurrentEpoch(uint32 given, uint32 current);

    // ------------------------------------------------------------------- acts

    /// @notice Publishes one head of a log of the sender's city. Parameters: see Item.
    /// Reverts IMemberRegistry.Unregistered unless the sender has ROLE_PUBLISH now.
    function publish(bytes32 streamId, uint64 size, bytes32 root, bytes32[] calldata proof) external;

    /// @notice Publishes up to 64 heads of logs of the sender's city, one after the other; none hinders the others.
    /// Reverts IMemberRegistry.Unregistered unless the sender has ROLE_PUBLISH now, TooManyItems beyond 64.
    function publishMany(Item[] calldata items) external;

    /// @notice Ends the current epoch of a stream of the sender's city.
    /// Reverts IMemberRegistry.NotGovernor unless the sender is the governor of an active city, NothingToClose,
    /// BadLastGoodSize.
    /// @param streamId Name of the stream.
    /// @param lastGoodSize How many entries stand, at most the newest head's size. Whoever can, chooses the size of a
    /// published head: entries between such a head and lastGoodSize are covered by void heads only.
    function closeEpoch(bytes32 streamId, uint64 lastGoodSize) external;

    /// @notice Ends an epoch as the cities decided (IGovernance.ActionKind.CLOSE_EPOCH). Anybody may send it, once the
    /// proposal is executed and until it expires. Reverts NotDecided, NotCurrentEpoch, NothingToClose, BadLastGoodSize.
    function closeEpochDecided(bytes32 proposal) external;

    // ------------------------------------------------------------------ reads

    /// @notice The registry that says who may publish.
    function registry() external view returns (IMemberRegistry);

    /// @notice Random name of this deployment, the registry's.
    function consortiumId() external view returns (bytes32);

    /// @notice Least number of seconds between two heads of one log.
    function minInterval() external view returns (uint64);

    /// @notice keccak256(abi.encode(city, streamId, epoch)).
    function logId(uint32 city, bytes32 streamId, uint32 epoch) external pure returns (bytes32);

    /// @notice Epoch in which heads of this stream are published now. Always ask: an epoch can be closed.
    function currentEpoch(uint32 city, bytes32 streamId) external view returns (uint32);

    /// @notice The end of the epoch that this log is; see above for what a verifier must do with it.
    function epochClosedAt(bytes32 logId_) external view returns (Closing memory);

    /// @notice Newest head of a log, also of one that is closed, void or not; all zero if it has none.
    function head(bytes32 logId_) external view returns (Head memory);

    /// @notice Whether exactly this head was ever accepted. Values: see Head. Not the whole question: see above.
    function isHead(bytes32 logId_, uint64 size, bytes32 root, uint64 prevSize, uint64 blockNumber, uint64 time)
        external
        view
        returns (bool);

    /// @notice RFC 9162 §2.1.3.2: whether the leaf with this hash is number `index` (from 0) of the tree (size, root).
    function verifyInclusion(bytes32 leafHash, uint64 index, uint64 size, bytes32[] calldata proof, bytes32 root)
        external
        view
        returns (bool);

    /// @notice RFC 9162 §2.1.4.2: whether the tree (size2, root2) extends the tree (size1, root1).
    /// size1 = 0 is refused: every tree extends the empty one, so it proves nothing. Equal sizes need equal roots and
    /// an empty proof.
    function verifyConsistency(uint64 size1, uint64 size2, bytes32 root1, bytes32 root2, bytes32[] calldata proof)
        external
        view
        returns (bool);
}
