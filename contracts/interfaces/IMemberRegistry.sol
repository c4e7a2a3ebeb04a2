// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {IGovernance} from "./IGovernance.sol";
import {ITerms, Term} from "./ITerms.sol";

/// @dev Role of an account, a bit each: may publish heads of its city's logs (LogAnchor).
uint8 constant ROLE_PUBLISH = 1;
/// @dev Role of an account, a bit each: may set the status of certificates and authorizations (StatusRegistry).
uint8 constant ROLE_STATUS = 2;

/// @title Who may act: cities, their accounts, agencies, accreditations and keys
/// @notice Every row is append-only and bitemporal: queries take `time` (Unix seconds) and `asOfBlock` (block number)
/// and answer "did it hold at `time`, as known when block `asOfBlock` was the newest". Times given as 0 mean the
/// block's time; `type(uint64).max` means open-ended. The events carry every value, so a client can rebuild all rows:
/// `recorded` of a Term is the number of the block that holds the event, and an `…Ended(…, to)` event shortens every
/// period that reaches beyond `to` (to `to`, or to its own start if it had not begun by then), the last one first.
///
/// Codes: an agency is its USCC (统一社会信用代码, GB 32100), 18 characters; a certificate type is the 21-character
/// type code of GB/T 36904. Both stand as ASCII 0-9A-Z, left-aligned and zero-padded in bytes32. Check characters and
/// key thumbprints are not recomputed here: every reader does that off chain. No personal data enters this contract.
///
/// What one city's governor may do alone stands here; what the cities decide together stands in IGovernance.
///
/// Reads that find no row return a zero row and never revert; only `actsFor` and `governs` revert.
interface IMemberRegistry is ITerms, IGovernance {
    // ------------------------------------------------------------------ types

    /// @notice Signature suite of a key.
    /// P256 = ECDSA P-256 with SHA-256 (JOSE ES256); ED25519 = RFC 8032 (C2SP signed note type 0x01).
    enum Suite {
        NONE,
        P256,
        ED25519
    }

    /// @notice What a key may sign or decrypt, one use per key.
    /// CERT certificates; HTTP requests between cities (RFC 9421); RECEIPT receipts, snapshots' JWS and permits;
    /// HEAD checkpoints (C2SP tlog-checkpoint); WITNESS cosignatures of snapshots; ENC decryption (JWE).
    enum KeyUse {
        NONE,
        CERT,
        HTTP,
        RECEIPT,
        HEAD,
        WITNESS,
        ENC
    }

    /// @notice A city that exists from the first block on.
    /// @param city Opaque id, not 0, never reused.
    /// @param division Division code of GB/T 2260 as a number, e.g. 330100 for 杭州.
    /// @param governor Cold account: adds and ends this city's rows, does nothing else.
    /// @param hot Accounts with both roles, from the first block on, open-ended.
    /// @param types Certificate types that the city may let its agencies issue, open-ended.
    /// @param endpoint Where the city's service answers: see `setEndpoint`.
    struct Founder {
        uint32 city;
        uint32 division;
        address governor;
        address[] hot;
        bytes32[] types;
        string endpoint;
    }

    /// @notice A city as it is now.
    /// @param division Division code of GB/T 2260 as a number.
    /// @param governor Its governor.
    /// @param endpoint Base URL of its service, may be empty.
    struct City {
        uint32 division;
        address governor;
        string endpoint;
    }

    /// @notice An account. It belongs to its city, and keeps its agency and its roles, for ever.
    /// @param city City id; 0 = no such account.
    /// @param roles Sum of ROLE_PUBLISH and ROLE_STATUS; 0 for a governor.
    /// @param agency USCC of the agency it acts for; 0 = the city itself.
    struct Account {
        uint32 city;
        uint8 roles;
        bytes32 agency;
    }

    /// @notice A public key.
    /// @param thumbprint RFC 7638 thumbprint (SHA-256) of its JWK; registered once for ever.
    /// @param city City whose governor registered it.
    /// @param agency USCC of the agency that holds it; 0 = the city itself. A CERT key always has an agency.
    /// @param suite HEAD keys are ED25519, all others P256.
    /// @param use What it is for.
    /// @param x P256: x coordinate, big-endian; ED25519: the 32 bytes of the public key (RFC 8032 §5.1.5).
    /// @param y P256: y coordinate, big-endian; ED25519: 0.
    struct Key {
        bytes32 thumbprint;
        uint32 city;
        bytes32 agency;
        Suite suite;
        KeyUse use;
        bytes32 x;
        bytes32 y;
    }

    /// @notice A report that a key fell into wrong hands.
    /// @param since First second from which it must not be trusted (Unix seconds); may lie in the past.
    /// @param recorded Number of the block that recorded the report.
    struct Compromise {
        uint64 since;
        uint64 recorded;
    }

    /// @notice Who takes over the status rights of an agency that is merged or dissolved.
    /// @param successor USCC of the successor; 0 = none was named.
    /// @param city City that named it.
    /// @param accepted Time of the block in which the successor's city accepted (Unix seconds); 0 = only named.
    /// @param recorded Number of that block; 0 = only named.
    struct Succession {
        bytes32 successor;
        uint32 city;
        uint64 accepted;
        uint64 recorded;
    }

    // ----------------------------------------------------------------- events

    /// @notice A city belongs to the consortium in [from, to).
    event CityAdmitted(uint32 indexed city, uint32 division, address indexed governor, uint64 from, uint64 to);

    /// @notice The city may let its agencies issue certificates of type `typeId` in [from, to).
    event ScopeGranted(uint32 indexed city, bytes32 indexed typeId, uint64 from, uint64 to);

    /// @notice The city's service now answers at `endpoint`.
    event EndpointChanged(uint32 indexed city, string endpoint);

    /// @notice `account` acts for the city (agency 0) or for one of its agencies in [from, to).
    event AccountAdded(
        address indexed account, uint32 indexed city, bytes32 indexed agency, uint8 roles, uint64 from, uint64 to
    );

    /// @notice `account` acts for nobody from `to` on.
    event AccountEnded(address indexed account, uint64 to);

    /// @notice The agency belongs to the city in [from, to).
    event AgencyAdded(bytes32 indexed agency, uint32 indexed city, uint64 from, uint64 to);

    /// @notice The agency no longer belongs to the city from `to` on.
    event AgencyEnded(bytes32 indexed agency, uint32 indexed city, uint64 to);

    /// @notice The city lets its agency issue certificates of type `typeId` with dates in [from, to).
    event Accredited(bytes32 indexed agency, uint32 indexed city, bytes32 indexed typeId, uint64 from, uint64 to);

    /// @notice The accreditation no longer holds from `to` on.
    event AccreditationEnded(bytes32 indexed agency, uint32 indexed city, bytes32 indexed typeId, uint64 to);

    /// @notice A key was registered and may be used in [from, to).
    event KeyAdded(
        bytes32 indexed thumbprint,
        uint32 indexed city,
        bytes32 indexed agency,
        Suite suite,
        KeyUse use,
        bytes32 x,
        bytes32 y,
        uint64 from,
        uint64 to
    );

    /// @notice The key may not be used from `to` on. What it signed before stays good.
    event KeyEnded(bytes32 indexed thumbprint, uint64 to);

    /// @notice The key must not be trusted for anything dated `since` or later.
    event KeyCompromised(bytes32 indexed thumbprint, uint64 since);

    /// @notice The agency's city named its successor, who has no right before the acceptance.
    event SuccessorNamed(bytes32 indexed agency, bytes32 indexed successor, uint32 indexed city);

    /// @notice The successor's city accepted: the successor may set statuses under `agency` from now on, for ever.
    event SuccessionAccepted(bytes32 indexed agency, bytes32 indexed successor, uint32 indexed city);

    // ----------------------------------------------------------------- errors

    /// @notice `consortiumId` must be a random, nonzero value.
    error NoConsortiumId();

    /// @notice A production deployment needs at least `needed` founders, so that no city is in charge alone.
    error TooFewFounders(uint256 count, uint256 needed);

    /// @notice City id 0, or one that is already taken.
    error BadCityId(uint32 city);

    /// @notice The zero address cannot act.
    error ZeroAddress();

    /// @notice The address already belongs to a city, with an agency and roles that cannot be changed: use a new one.
    error AccountTaken(address account);

    /// @notice No such account in the sender's city.
    error UnknownAccount(address account);

    /// @notice No account with that role is active for an active city (and agency) now. The only error of `actsFor`.
    error Unregistered(address account);

    /// @notice The sender is not the governor of an active city.
    error NotGovernor(address sender);

    /// @notice A city account needs one or both roles; an agency account has ROLE_STATUS and nothing else.
    error BadRoles(uint8 roles);

    /// @notice Not an ASCII code of the expected length, left-aligned and zero-padded.
    /// @param code The value given.
    /// @param length Expected number of characters: 18 for an agency, 21 for a certificate type.
    error BadCode(bytes32 code, uint256 length);

    /// @notice Not an https URL of at most 200 characters (http on loopback is for development only).
    error BadEndpoint(string endpoint);

    /// @notice The agency belongs, now or later, to another city, which must end that first.
    error AgencyElsewhere(bytes32 agency, uint32 city);

    /// @notice The agency does not belong to the sender's city at `time` (Unix seconds).
    error AgencyNotMember(bytes32 agency, uint32 city, uint64 time);

    /// @notice The agency has a successor that accepted: that stands for ever.
    error SuccessionDone(bytes32 agency, bytes32 successor);

    /// @notice This successor was not named, or the city that named it is not active or no longer the agency's.
    error NotNamed(bytes32 agency, bytes32 successor);

    /// @notice An agency cannot succeed itself, directly or through others, nor in a chain longer than 4.
    error SuccessionLoop(bytes32 agency, bytes32 successor);

    /// @notice The city may not let anybody issue this type at `time` (Unix seconds).
    error OutOfScope(uint32 city, bytes32 typeId, uint64 time);

    /// @notice The key names another city than the sender's.
    error WrongCity(uint32 given, uint32 own);

    /// @notice Thumbprint or coordinates are missing, or suite, use and owner do not go together: see Key.
    error BadKey(bytes32 thumbprint);

    /// @notice A thumbprint is registered once for ever.
    error KeyTaken(bytes32 thumbprint);

    /// @notice No such key of the sender's city.
    error UnknownKey(bytes32 thumbprint);

    /// @notice A compromise cannot lie in the future: end the key instead.
    error CompromiseInFuture(uint64 since, uint64 time);

    // ---------------------------------------------------------- governor acts

    /// @notice Sets where the sender's city answers. ASCII, at most 200 characters out of A-Z a-z 0-9 and `-._~:/[]`,
    /// starting with `https://`; unless in production also `http://` on `127.0.0.1`, `localhost` or `[::1]`. Empty = none.
    function setEndpoint(string calldata endpoint) external;

    /// @notice Lets `account` act for the sender's city, or for one of its agencies, in [from, to). An account whose
    /// period has ended may be added again with the same agency and roles.
    /// @param account New address, or an earlier account of this city.
    /// @param agency USCC, a member of the city at `from`; 0 = the city itself.
    /// @param roles Sum of ROLE_PUBLISH and ROLE_STATUS; for an agency ROLE_STATUS.
    /// @param from Unix seconds, 0 = now.
    /// @param to Unix seconds.
    function addAccount(address account, bytes32 agency, uint8 roles, uint64 from, uint64 to) external;

    /// @notice Ends an account of the sender's city. `to` in Unix seconds, 0 = now.
    function endAccount(address account, uint64 to) external;

    /// @notice Makes the agency a member of the sender's city in [from, to). Refused while another city's membership
    /// of this agency holds now or later; that of a city that was removed ends with this act.
    function addAgency(bytes32 agency, uint64 from, uint64 to) external;

    /// @notice Ends the agency's membership in the sender's city. `to` in Unix seconds, 0 = now.
    function endAgency(bytes32 agency, uint64 to) external;

    /// @notice Lets an agency issue certificates of type `typeId` in [from, to). At `from` the agency must be a member
    /// of the sender's city and the type within the city's scope. It ends with that period of the scope at the latest,
    /// and does not return when the type is granted again.
    function accredit(bytes32 agency, bytes32 typeId, uint64 from, uint64 to) external;

    /// @notice Ends an accreditation by the sender's city. `to` in Unix seconds, 0 = now.
    function endAccreditation(bytes32 agency, bytes32 typeId, uint64 to) external;

    /// @notice Registers a key of the sender's city, or of an agency that is its member at `from`, for [from, to).
    function addKey(Key calldata added, uint64 from, uint64 to) external;

    /// @notice Ends a key of the sender's city. `to` in Unix seconds, 0 = now.
    function endKey(bytes32 thumbprint, uint64 to) external;

    /// @notice Declares a key of the sender's city compromised.
    /// @param since Unix seconds, not after the block's time, and taken as it is: 0 = never to be trusted at all.
    function compromiseKey(bytes32 thumbprint, uint64 since) external;

    /// @notice Names the successor of an agency that is a member of the sender's city now. May be named anew until it
    /// accepted; 0 takes the name back.
    function nameSuccessor(bytes32 agency, bytes32 successor) external;

    /// @notice Accepts for the successor, a member of the sender's city now. It inherits the right to set statuses
    /// under `agency` (StatusRegistry), those that `agency` had inherited included, and nothing else: no
    /// accreditation, no key, no account. The city that named it must be active, and the agency not have moved to
    /// another city since; its membership may have ended.
    function acceptSuccession(bytes32 agency, bytes32 successor) external;

    // ------------------------------------------------------------------ reads

    /// @notice Random name of this deployment. Chain ids and genesis hashes do not identify a ledger, this does.
    function consortiumId() external view returns (bytes32);

    /// @notice Whether this deployment keeps the rules of production (founders, endpoints).
    function production() external view returns (bool);

    /// @notice Number of cities ever admitted.
    function cityCount() external view returns (uint256);

    /// @notice Id of the i-th city, in the order of admission; 0 if there is none.
    function cityIdAt(uint256 i) external view returns (uint32);

    /// @notice A city's row and its membership.
    function city(uint32 id) external view returns (City memory row, Term[] memory terms);

    /// @notice Whether the city belonged to the consortium.
    function cityActive(uint32 id, uint64 time, uint64 asOfBlock) external view returns (bool);

    /// @notice Whether the city might let its agencies issue this type.
    function inScope(uint32 id, bytes32 typeId, uint64 time, uint64 asOfBlock) external view returns (bool);

    /// @notice Periods in which the city may let its agencies issue this type.
    function scopeTerms(uint32 id, bytes32 typeId) external view returns (Term[] memory);

    /// @notice An account's row and its periods. A governor has a row without roles and without periods.
    function account(address who) external view returns (Account memory row, Term[] memory terms);

    /// @notice For whom `who` acts in this role at the block's time. Reverts Unregistered(who) unless the account, its
    /// city and (for an agency's account) the agency's membership hold now and the account has the role.
    /// @param who Account.
    /// @param role ROLE_PUBLISH or ROLE_STATUS.
    /// @return cityId City of the account, never 0.
    /// @return agency USCC; 0 = the city itself.
    function actsFor(address who, uint8 role) external view returns (uint32 cityId, bytes32 agency);

    /// @notice City that `who` governs now. Reverts NotGovernor(who) unless it is the governor of an active city.
    function governs(address who) external view returns (uint32 cityId);

    /// @notice Periods in which the agency is a member of the city.
    function agencyTerms(bytes32 agency, uint32 cityId) external view returns (Term[] memory);

    /// @notice Whether the agency belonged to the city. Reads that city's rows alone.
    function isMember(bytes32 agency, uint32 cityId, uint64 time, uint64 asOfBlock) external view returns (bool);

    /// @notice The city that the agency belonged to; 0 = none.
    function cityOfAgency(bytes32 agency, uint64 time, uint64 asOfBlock) external view returns (uint32);

    /// @notice Periods for which the city accredits the agency for this type, each shortened by what ended the period
    /// of the city's scope in which it begins.
    function accreditationTerms(bytes32 agency, uint32 cityId, bytes32 typeId) external view returns (Term[] memory);

    /// @notice Whether the agency might issue this type: it belonged to a city, that city was active, and that city
    /// accredited it.
    function accredited(bytes32 agency, bytes32 typeId, uint64 time, uint64 asOfBlock) external view returns (bool);

    /// @notice Who succeeds the agency; zero row if nobody was named.
    function succession(bytes32 agency) external view returns (Succession memory);

    /// @notice Successors of the agency that accepted: its own, that one's, and so on; at most 4.
    function successors(bytes32 agency) external view returns (bytes32[] memory);

    /// @notice A key's row, its periods, and the reports of its compromise.
    function key(bytes32 thumbprint)
        external
        view
        returns (Key memory row, Term[] memory terms, Compromise[] memory compromises);

    /// @notice Whether a key was to be trusted: a period covers `time`, and no compromise known by then has
    /// `since <= time`.
    function keyValid(bytes32 thumbprint, uint64 time, uint64 asOfBlock) external view returns (bool);
}
