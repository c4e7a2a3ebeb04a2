// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ROLE_PUBLISH, ROLE_STATUS} from "../../interfaces/IMemberRegistry.sol";
import {IStatusRegistry} from "../../interfaces/IStatusRegistry.sol";
import {Vm} from "../Base.sol";
import {Consortium} from "../Consortium.sol";

/// @title Everything that honest and hostile senders do to a StatusRegistry, in any order
/// @dev As drivers/Publishing. What must come out of a change is foretold by `_foretold`, which knows the table of
/// steps as a picture and the agencies' cities from its own acts.
contract Statuses is Consortium {
    address internal constant DESK_A = address(0xDE5C); // account of agency A in Hangzhou
    address internal constant PUBLISH_ONLY = address(0x9B1);
    uint256 internal constant BLOCK_GAS = 30_000_000;
    uint256 internal constant DIGESTS = 8;
    /// @dev Row = from, column = to, both in the order of IStatusRegistry.Status.
    string[7] internal steps = ["-s-rcx-", "a--rcx-", "-------", "-------", "-------", "-------", "-------"];

    mapping(bytes32 agency => uint32) public cityOf;
    mapping(bytes32 place => IStatusRegistry.Record[]) internal past;
    mapping(IStatusRegistry.Refusal => uint256) public refusals;
    uint256 public recorded;
    uint256 public repeated;
    uint256 public trespasses;

    constructor() {
        deploy();
        _join(AGENCY_A, HANGZHOU);
        _join(AGENCY_B, CHANGSHA);
        as_(HANGZHOU);
        registry.addAccount(DESK_A, AGENCY_A, ROLE_STATUS, 0, FOREVER);
        as_(HANGZHOU);
        registry.addAccount(PUBLISH_ONLY, 0, ROLE_PUBLISH, 0, FOREVER);
        pass(1, 1);
    }

    // ------------------------------------------------------------------- acts

    /// @dev Anybody with the role, anything: mostly close to what is allowed.
    function set(uint256 seed) external {
        pass(seed >> 200 & 1, seed >> 201 & 1);
        address sender = _sender(seed);
        IStatusRegistry.Change memory change = _change(seed);
        if (!_mayWrite(sender)) return _refusedAltogether(sender, change);
        vm.recordLogs();
        vm.prank(sender);
        status.setStatus{gas: BLOCK_GAS}(change);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(_follow(sender, change, logs, 0), logs.length, "events");
    }

    function setMany(uint256 seed, uint256 count) external {
        pass(seed >> 200 & 1, seed >> 201 & 1);
        address sender = _sender(seed);
        IStatusRegistry.Change[] memory changes = new IStatusRegistry.Change[](bound(count, 1, 40));
        for (uint256 i = 0; i < changes.length; ++i) {
            changes[i] = _change(draw(seed, i));
        }
        if (!_mayWrite(sender)) return _refusedAltogether(sender, changes[0]);
        vm.recordLogs();
        vm.prank(sender);
        status.setStatusMany{gas: BLOCK_GAS}(changes);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 next = 0;
        for (uint256 i = 0; i < changes.length; ++i) {
            next = _follow(sender, changes[i], logs, next);
        }
        vm.assertEq(next, logs.length, "events");
    }

    /// @dev An honest sender who cannot know whether its last change arrived.
    function retry(uint256 seed) external {
        bytes32 issuer = seed % 2 == 0 ? AGENCY_A : AGENCY_B;
        bytes32 digest = bytes32(draw(seed, 0) % DIGESTS);
        IStatusRegistry.Record[] storage all = past[_place(issuer, digest)];
        if (all.length == 0) return;
        IStatusRegistry.Record memory r = all[all.length - 1];
        pass(1, 1);
        vm.recordLogs();
        vm.prank(hot(cityOf[issuer]));
        status.setStatus{gas: BLOCK_GAS}(
            IStatusRegistry.Change(
                issuer, digest, r.status, r.reason, seed % 3 == 0 ? 0 : r.effectiveFrom, r.nextIssuer, r.nextDigest
            )
        );
        vm.assertEq(vm.getRecordedLogs().length, 0, "a retry did something");
        ++repeated;
    }

    /// @dev An agency leaves its city for another one; its old account has nobody left to act for.
    function move(uint256 which, uint256 cityDraw) external {
        bytes32 agency = which % 2 == 0 ? AGENCY_A : AGENCY_B;
        uint32 target = uint32(bound(cityDraw, 1, CITIES));
        pass(1, 1);
        as_(cityOf[agency]);
        registry.endAgency(agency, 0);
        _join(agency, target);
    }

    function trespass(address anybody, uint256 seed) external {
        for (uint32 i = 1; i <= CITIES; ++i) {
            if (anybody == hot(i)) return;
        }
        address[4] memory others = [anybody, STRANGER, governor(HANGZHOU), PUBLISH_ONLY];
        pass(1, 1);
        if (others[seed % 4] != DESK_A) _refusedAltogether(others[seed % 4], _change(seed));
    }

    // ------------------------------------------------------------------ reads

    /// @dev All places that anything could have been written to.
    function places() external pure returns (bytes32[] memory issuers, bytes32[] memory digests) {
        (issuers, digests) = (new bytes32[](3), new bytes32[](DIGESTS));
        (issuers[0], issuers[1]) = (AGENCY_A, AGENCY_B);
        for (uint256 i = 0; i < DIGESTS; ++i) {
            digests[i] = bytes32(i);
        }
    }

    function expected(bytes32 issuer, bytes32 digest) external view returns (IStatusRegistry.Record[] memory) {
        return past[_place(issuer, digest)];
    }

    function records(bytes32 issuer, bytes32 digest) external view returns (IStatusRegistry.Record[] memory) {
        return status.records(issuer, digest);
    }

    function statusAt(bytes32 issuer, bytes32 digest, uint64 time_, uint64 asOfBlock)
        external
        view
        returns (IStatusRegistry.Record memory)
    {
        return status.statusAt(issuer, digest, time_, asOfBlock);
    }

    // ---------------------------------------------------------------- sending

    /// @dev Compares the next event with what was foretold, and keeps the record; the index of the event after it.
    function _follow(address sender, IStatusRegistry.Change memory c, Vm.Log[] memory logs, uint256 next)
        private
        returns (uint256)
    {
        IStatusRegistry.Record[] storage before = past[_place(c.issuer, c.digest)];
        IStatusRegistry.Refusal code = _foretold(sender, c, before);
        if (code != IStatusRegistry.Refusal.NOT_ENTITLED && _repeats(c, before)) {
            ++repeated;
            return next;
        }
        vm.assertEq(logs[next].topics[1], c.issuer, "issuer");
        vm.assertEq(logs[next].topics[2], c.digest, "digest");
        if (code != IStatusRegistry.Refusal.NONE) {
            vm.assertEq(logs[next].topics[0], IStatusRegistry.StatusRefused.selector, "should be refused");
            (, IStatusRegistry.Refusal given) = abi.decode(logs[next].data, (uint8, IStatusRegistry.Refusal));
            vm.assertEq(uint256(given), uint256(code), "refusal");
            ++refusals[code];
        } else {
            vm.assertEq(logs[next].topics[0], IStatusRegistry.StatusChanged.selector, "should be recorded");
            uint64 from = c.effectiveFrom == 0 ? time : c.effectiveFrom;
            before.push(
                IStatusRegistry.Record(c.status, c.reason, from, c.nextIssuer, c.nextDigest, sender, number, time)
            );
            ++recorded;
        }
        return next + 1;
    }

    function _refusedAltogether(address sender, IStatusRegistry.Change memory change) private {
        ++trespasses;
        vm.prank(sender);
        vm.expectRevert(unregistered(sender));
        status.setStatus(change);
        IStatusRegistry.Change[] memory changes = new IStatusRegistry.Change[](1);
        changes[0] = change;
        vm.prank(sender);
        vm.expectRevert(unregistered(sender));
        status.setStatusMany(changes);
    }

    function _join(bytes32 agency, uint32 city) private {
        as_(city);
        registry.addAgency(agency, 0, FOREVER);
        cityOf[agency] = city;
    }

    // ---------------------------------------------------------------- foretelling

    function _mayWrite(address sender) private view returns (bool) {
        return sender != DESK_A || cityOf[AGENCY_A] == HANGZHOU;
    }

    function _foretold(address sender, IStatusRegistry.Change memory c, IStatusRegistry.Record[] storage before)
        private
        view
        returns (IStatusRegistry.Refusal)
    {
        bool own = sender == DESK_A ? c.issuer == AGENCY_A : c.issuer != 0 && sender == hot(cityOf[c.issuer]);
        if (!own) return IStatusRegistry.Refusal.NOT_ENTITLED;
        if (c.digest == 0) return IStatusRegistry.Refusal.NO_DIGEST;
        uint8 current = before.length == 0 ? 0 : before[before.length - 1].status;
        if (c.status > 6 || bytes(steps[current])[c.status] == "-") return IStatusRegistry.Refusal.BAD_TRANSITION;
        if (c.reason == 0) return IStatusRegistry.Refusal.NO_REASON;
        bool annuls = c.status == 3 && c.reason == 3;
        bool timely = c.effectiveFrom == 0 || c.effectiveFrom == time || (c.effectiveFrom < time && annuls);
        if (!timely) return IStatusRegistry.Refusal.BAD_EFFECTIVE_FROM;
        if (c.status != 5 && (c.nextIssuer != 0 || c.nextDigest != 0)) return IStatusRegistry.Refusal.BAD_NEXT;
        bool itself = c.nextIssuer == c.issuer && c.nextDigest == c.digest;
        bool named = c.nextIssuer != 0 && c.nextDigest != 0;
        return c.status == 5 && (itself || !named) ? IStatusRegistry.Refusal.BAD_NEXT : IStatusRegistry.Refusal.NONE;
    }

    function _repeats(IStatusRegistry.Change memory c, IStatusRegistry.Record[] storage before)
        private
        view
        returns (bool)
    {
        if (before.length == 0) return false;
        IStatusRegistry.Record memory newest = before[before.length - 1];
        uint64 from = c.effectiveFrom == 0 ? newest.effectiveFrom : c.effectiveFrom;
        return keccak256(abi.encode(c.status, c.reason, from, c.nextIssuer, c.nextDigest))
            == keccak256(
            abi.encode(newest.status, newest.reason, newest.effectiveFrom, newest.nextIssuer, newest.nextDigest)
        );
    }

    // ------------------------------------------------------------------ draws

    function _sender(uint256 seed) private pure returns (address) {
        address[4] memory senders = [hot(HANGZHOU), hot(CHANGSHA), hot(NANJING), DESK_A];
        return senders[draw(seed, 100) % 4];
    }

    function _change(uint256 seed) private view returns (IStatusRegistry.Change memory c) {
        bytes32[4] memory issuers = [AGENCY_A, AGENCY_B, AGENCY_A, bytes32(0)];
        uint64[6] memory times = [0, time, 0, time - 1, time + 1, 0];
        c.issuer = issuers[draw(seed, 101) % 4];
        c.digest = bytes32(draw(seed, 102) % DIGESTS);
        uint256 dice = draw(seed, 103) % 20;
        uint8[3] memory never = [2, 6, 255];
        c.status = dice < 16 ? uint8(dice % 2) : dice < 19 ? uint8(dice - 13) : never[draw(seed, 109) % 3];
        c.reason = uint16(draw(seed, 104) % 4);
        c.effectiveFrom = times[draw(seed, 105) % 6];
        if (c.status == 5 ? draw(seed, 106) % 3 == 0 : draw(seed, 106) % 8 != 0) return c;
        c.nextIssuer = issuers[draw(seed, 107) % 4];
        c.nextDigest = bytes32(draw(seed, 108) % DIGESTS);
    }

    function _place(bytes32 issuer, bytes32 digest) private pure returns (bytes32) {
        return keccak256(abi.encode(issuer, digest));
    }
}
