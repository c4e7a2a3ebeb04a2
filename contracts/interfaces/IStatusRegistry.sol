// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IMemberRegistry} from "./IMemberRegistry.sol";

// National reasons for a status. Frozen numbers; a consortium may use further nonzero ones for its own rules.

/// @dev 暂扣: withheld for a time.
uint16 constant REASON_SUSPENDED = 1;
/// @dev 暂扣发还: given back.
uint16 constant REASON_REINSTATED = 2;
/// @dev 撤销: annulled, void from the beginning; the only reason whose effect may reach back.
uint16 constant REASON_ANNULLED = 3;
/// @dev 吊销: taken away as a penalty.
uint16 constant REASON_REVOKED_AS_PENALTY = 4;
/// @dev 注销: cancelled.
uint16 constant REASON_CANCELLED = 5;
/// @dev 延续/换发: renewed by another certificate.
uint16 constant REASON_RENEWED = 6;
/// @dev 更正: corrected by another certificate.
uint16 constant REASON_CORRECTED = 7;
/// @dev Any other reason.
uint16 constant REASON_OTHER = 99;

/// @title What no longer holds: status of certificates and authorizations
/// @notice Kept under (issuer, digest). A verifier reads only under the issuer to whom the certificate is bound, so a
/// record under any other issuer has no effect. No record means ACTIVE.
///
/// A sender may send anything any number of times: a change that repeats the newest record changes nothing, any other
/// bad change emits StatusRefused and changes nothing. Only a sender who may not set any status reverts, and a list
/// that is too long, because on some chains a reverted transaction strands the sender's queue.
interface IStatusRegistry {
    // ------------------------------------------------------------------ types

    /// @notice Status. Frozen numbers. REVOKED, CANCELLED, SUPERSEDED and TRANSFERRED are final.
    /// Allowed: ACTIVE → SUSPENDED | REVOKED | CANCELLED | SUPERSEDED; SUSPENDED → ACTIVE | REVOKED | CANCELLED |
    /// SUPERSEDED. Records of TRANSFERRING and TRANSFERRED cannot be made yet.
    enum Status {
        ACTIVE,
        SUSPENDED,
        TRANSFERRING,
        REVOKED,
        CANCELLED,
        SUPERSEDED,
        TRANSFERRED
    }

    /// @notice Why a change was refused, checked in this order. Frozen: clients store these numbers.
    /// NOT_ENTITLED the sender acts neither for the issuer, nor for the city that the issuer belongs to now, nor in
    /// either way for an agency that succeeds it (IMemberRegistry.acceptSuccession).
    /// NO_DIGEST the digest is 0.
    /// BAD_TRANSITION not an allowed step from the newest status, or no such status: see Status.
    /// NO_REASON the reason is 0.
    /// BAD_EFFECTIVE_FROM in the future, or in the past for anything but REVOKED with REASON_ANNULLED.
    /// BAD_NEXT SUPERSEDED names the next certificate (issuer and digest, not itself), nothing else names one.
    enum Refusal {
        NONE,
        NOT_ENTITLED,
        NO_DIGEST,
        BAD_TRANSITION,
        NO_REASON,
        BAD_EFFECTIVE_FROM,
        BAD_NEXT
    }

    /// @notice A change of status.
    /// @param issuer USCC of the issuing agency, as in IMemberRegistry.
    /// @param digest SHA-256 digest of the certificate or authorization.
    /// @param status New status: a number of Status.
    /// @param reason National reason, nonzero: REASON_….
    /// @param effectiveFrom First second at which it holds (Unix seconds); 0 = the block's time.
    /// @param nextIssuer Issuer of the certificate that takes its place; SUPERSEDED only.
    /// @param nextDigest Digest of that certificate; SUPERSEDED only.
    struct Change {
        bytes32 issuer;
        bytes32 digest;
        uint8 status;
        uint16 reason;
        uint64 effectiveFrom;
        bytes32 nextIssuer;
        bytes32 nextDigest;
    }

    /// @notice A status that was recorded. None is ever changed or removed.
    /// @param status A number of Status.
    /// @param reason National reason.
    /// @param effectiveFrom First second at which it holds (Unix seconds).
    /// @param nextIssuer See Change.
    /// @param nextDigest See Change.
    /// @param actor Account that recorded it.
    /// @param recorded Number of the block that recorded it.
    /// @param time Time of that block (Unix seconds).
    struct Record {
        uint8 status;
        uint16 reason;
        uint64 effectiveFrom;
        bytes32 nextIssuer;
        bytes32 nextDigest;
        address actor;
        uint64 recorded;
        uint64 time;
    }

    // ----------------------------------------------------------------- events

    /// @notice A status was recorded; `recorded` and `time` are those of the block.
    event StatusChanged(
        bytes32 indexed issuer,
        bytes32 indexed digest,
        uint8 status,
        uint16 reason,
        uint64 effectiveFrom,
        bytes32 nextIssuer,
        bytes32 nextDigest,
        address actor
    );

    /// @notice A change was refused and changed nothing.
    event StatusRefused(bytes32 indexed issuer, bytes32 indexed digest, uint8 status, Refusal code);

    // ----------------------------------------------------------------- errors

    /// @notice The list holds more changes than one transaction may carry.
    error TooManyItems(uint256 count, uint256 limit);

    // ------------------------------------------------------------------- acts

    /// @notice Records one change. Reverts IMemberRegistry.Unregistered unless the sender has ROLE_STATUS now.
    function setStatus(Change calldata change) external;

    /// @notice Records up to 200 changes, one after the other; none hinders the others.
    /// Reverts IMemberRegistry.Unregistered unless the sender has ROLE_STATUS now, TooManyItems beyond 200.
    function setStatusMany(Change[] calldata changes) external;

    // ------------------------------------------------------------------ reads

    /// @notice The registry that says who may set a status.
    function registry() external view returns (IMemberRegistry);

    /// @notice Random name of this deployment, the registry's.
    function consortiumId() external view returns (bytes32);

    /// @notice All records, oldest first.
    function records(bytes32 issuer, bytes32 digest) external view returns (Record[] memory);

    /// @notice The status at `time` (Unix seconds) as known at block `asOfBlock`: the last record with
    /// `recorded <= asOfBlock` and `effectiveFrom <= time`. All zero = ACTIVE, no record.
    function statusAt(bytes32 issuer, bytes32 digest, uint64 time, uint64 asOfBlock)
        external
        view
        returns (Record memory);
}
