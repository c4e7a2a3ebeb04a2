// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title What the cities decide together
/// @notice An action is proposed by the governor of an active city, which is that city's approval, approved by other
/// governors, and executed by the governor of any active city once enough approvals count.
///
/// Who votes: every city that is active at that moment, except the target, the city that the action is about. Needed,
/// of n such cities: max(2, ⌊n / 2⌋ + 1); 1 if n = 1. Without any (the last city about itself) nothing can be decided.
/// What counts: both are reckoned when the action is executed. An approval counts while its city is active and the
/// account that gave it is that city's governor: a city that has left or is suspended does not count, neither in n nor
/// among the approvals; of a replaced governor the city keeps its vote, and the new governor gives it anew.
///
/// A proposal's id is keccak256(abi.encode(consortiumId, block.chainid, address(this), number, action)), so an approval
/// is worth nothing in another consortium (two development chains share chain id and addresses), on another chain, in
/// another contract, or for the same action proposed again. It is executed at most once and expires 30 days after it
/// was made.
///
/// The governor of a city that has lost its key is replaced by two executions: the first begins a delay of 7 days, the
/// second, after it, replaces the governor, both with enough approvals. Until then the old governor may cancel, even
/// while its city is suspended: a majority can remove a city, but not take it over while it defends itself. A city
/// whose governor's key was stolen is therefore removed, and admitted under a new id.
interface IGovernance {
    // ------------------------------------------------------------------ types

    /// @notice What can be decided. Frozen numbers. Fields of Action that a kind does not name are 0 or empty.
    /// ADMIT `city` becomes a member: division, account (its governor), hot, types and endpoint as of a Founder.
    /// SUSPEND `city` is not active until it is reinstated: it neither votes nor publishes nor sets a status.
    /// REINSTATE a suspended `city` is active again.
    /// REMOVE `city` leaves for ever; its id is never used again, its agencies may be taken over by other cities.
    /// REKEY `account`, a new address, becomes the governor of `city`: the two executions above.
    /// GRANT_TYPES `city` may let its agencies issue `types`, from now on, open-ended.
    /// END_TYPES `city` may no longer let its agencies issue `types`: its accreditations for them end now.
    /// CLOSE_EPOCH the current epoch `epoch` of the log `streamId` of `city` in the LogAnchor `account` ends with
    /// `size` good entries; carried out by ILogAnchor.closeEpochDecided.
    enum ActionKind {
        NONE,
        ADMIT,
        SUSPEND,
        REINSTATE,
        REMOVE,
        REKEY,
        GRANT_TYPES,
        END_TYPES,
        CLOSE_EPOCH
    }

    /// @notice Where a proposal stands. Frozen numbers. An OPEN one that has expired stays OPEN.
    enum ProposalState {
        NONE,
        OPEN,
        EXECUTED,
        CANCELLED
    }

    /// @notice An action; see ActionKind for the fields each kind has.
    /// @param kind What is to be done.
    /// @param city The target.
    /// @param division Division code of GB/T 2260 as a number.
    /// @param account A governor, or a LogAnchor.
    /// @param epoch Epoch of a log.
    /// @param size Number of entries of a log, from the first on, that stand.
    /// @param streamId Name of a stream, ASCII, left-aligned, zero-padded.
    /// @param types Certificate types, see IMemberRegistry.
    /// @param hot Accounts that publish and set statuses.
    /// @param endpoint Base URL of the city's service, see IMemberRegistry.setEndpoint.
    struct Action {
        ActionKind kind;
        uint32 city;
        uint32 division;
        address account;
        uint32 epoch;
        uint64 size;
        bytes32 streamId;
        bytes32[] types;
        address[] hot;
        string endpoint;
    }

    /// @notice A proposal.
    /// @param state Where it stands.
    /// @param proposer City that made it.
    /// @param number Its number, from 0 on: the counter in its id.
    /// @param made Time of the block that made it (Unix seconds).
    /// @param expires First second at which it can no longer be approved, executed or carried out (Unix seconds).
    /// @param due REKEY: first second at which the governor can be replaced (Unix seconds); 0 = delay not begun.
    struct Proposal {
        ProposalState state;
        uint32 proposer;
        uint64 number;
        uint64 made;
        uint64 expires;
        uint64 due;
    }

    /// @notice An approval, which counts while `governor` is the governor of the active city `city`.
    struct Approval {
        uint32 city;
        address governor;
    }

    // ----------------------------------------------------------------- events

    /// @notice A proposal was made; ProposalApproved of its proposer follows.
    event ProposalMade(bytes32 indexed id, uint32 indexed proposer, uint64 number, uint64 expires, Action action);

    /// @notice A city approved.
    event ProposalApproved(bytes32 indexed id, uint32 indexed city, address governor);

    /// @notice A re-key had enough approvals: it can be carried out from `due` on, until `expires`, if not cancelled.
    event RekeyBegun(bytes32 indexed id, uint32 indexed city, uint64 due, uint64 expires);

    /// @notice A proposal was executed with `counted` approvals where `needed` were needed. Events of the act precede.
    event ProposalExecuted(bytes32 indexed id, uint256 counted, uint256 needed);

    /// @notice The old governor cancelled a re-key.
    event ProposalCancelled(bytes32 indexed id);

    /// @notice The city's membership ends at `to`, until it is reinstated.
    event CitySuspended(uint32 indexed city, uint64 to);

    /// @notice The city belongs to the consortium again, in [from, to).
    event CityReinstated(uint32 indexed city, uint64 from, uint64 to);

    /// @notice The city's membership ended, at `to` at the latest, for ever.
    event CityRemoved(uint32 indexed city, uint64 to);

    /// @notice The city has another governor.
    event GovernorReplaced(uint32 indexed city, address indexed old, address indexed governor);

    /// @notice The city may not let its agencies issue certificates of type `typeId` from `to` on.
    event ScopeEnded(uint32 indexed city, bytes32 indexed typeId, uint64 to);

    // ----------------------------------------------------------------- errors

    /// @notice No such kind, a field that the kind does not have, or one missing that it has.
    error BadAction(ActionKind kind);

    /// @notice No city with this id was ever admitted.
    error UnknownCity(uint32 city);

    /// @notice The city was removed: nothing but the end of an epoch of its logs can be decided about it any more.
    error CityGone(uint32 city);

    /// @notice The city is suspended already.
    error CityIsSuspended(uint32 city);

    /// @notice The city is active already.
    error CityIsActive(uint32 city);

    /// @notice No proposal with this id was made in this contract on this chain.
    error UnknownProposal(bytes32 id);

    /// @notice The proposal was executed or cancelled before.
    error ProposalOver(bytes32 id, ProposalState state);

    /// @notice The proposal can no longer be approved or executed.
    error ProposalExpired(bytes32 id, uint64 expires);

    /// @notice A city has no vote about itself.
    error NoVoteOnOneself(uint32 city);

    /// @notice Fewer approvals count than are needed.
    error NotEnoughApprovals(bytes32 id, uint256 counted, uint256 needed);

    /// @notice The delay before a governor is replaced has not passed.
    error TooEarly(bytes32 id, uint64 due);

    /// @notice Only a re-key can be cancelled.
    error NotCancellable(bytes32 id);

    // ------------------------------------------------------------------- acts

    /// @notice Proposes an action and approves it.
    /// Reverts IMemberRegistry.NotGovernor unless the sender is the governor of an active city, NoVoteOnOneself for its
    /// own city, BadAction, IMemberRegistry.BadCode and BadEndpoint for an action that could never be executed;
    /// whether the cities' state allows it shows at execution.
    /// @return id Name of the proposal.
    function propose(Action calldata action) external returns (bytes32 id);

    /// @notice Approves for the sender's city. Approving again changes nothing.
    /// Reverts NotGovernor, NoVoteOnOneself, UnknownProposal, ProposalOver, ProposalExpired.
    function approve(bytes32 id) external;

    /// @notice Executes a proposal that has enough approvals; a REKEY's first execution begins its delay.
    /// Reverts NotGovernor unless the sender is the governor of an active city; UnknownProposal, ProposalOver,
    /// ProposalExpired, NotEnoughApprovals, TooEarly, and what the act itself refuses.
    function execute(bytes32 id) external;

    /// @notice Cancels a re-key. Reverts NotGovernor unless the sender is the governor who would be replaced,
    /// NotCancellable for another kind, UnknownProposal, ProposalOver.
    function cancel(bytes32 id) external;

    // ------------------------------------------------------------------ reads

    /// @notice Number of proposals ever made.
    function proposalCount() external view returns (uint256);

    /// @notice Id of the proposal with this number; 0 if there is none.
    function proposalIdAt(uint256 number) external view returns (bytes32);

    /// @notice A proposal, its action, and all approvals, whether they count now or not; zero row if there is none.
    function proposal(bytes32 id)
        external
        view
        returns (Proposal memory row, Action memory action, Approval[] memory approvals);

    /// @notice How many approvals count now, and how many are needed now. (0, 0) if there is no such proposal.
    function tally(bytes32 id) external view returns (uint256 counted, uint256 needed);

    /// @notice Approvals needed now for an action about `target`.
    function approvalsNeeded(uint32 target) external view returns (uint256);

    /// @notice Whether the city was removed for ever.
    function cityRemoved(uint32 id) external view returns (bool);
}
