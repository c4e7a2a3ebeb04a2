// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {ILogAnchor} from "../../interfaces/ILogAnchor.sol";
import {ROLE_PUBLISH, ROLE_STATUS} from "../../interfaces/IMemberRegistry.sol";
import {Vm} from "../Base.sol";
import {Consortium} from "../Consortium.sol";
import {Tree} from "../Tree.sol";

/// @title Everything that honest and hostile senders do to a LogAnchor, in any order
/// @dev forge calls the public acts with random arguments. Each says beforehand how many heads must be accepted, and
/// counts the events afterwards. An act that reverts fails the run, so "never reverts" needs no test of its own.
contract Publishing is Consortium {
    struct Accepted {
        bytes32 log;
        uint64 size;
        bytes32 root;
        uint64 prevSize;
        uint64 number;
        uint64 time;
    }

    address internal constant STATUS_ONLY = address(0x57A705);
    address internal constant DESK = address(0xDE5C);
    bytes32 internal constant RAW = "raw"; // a stream whose heads have no tree behind them
    uint256 internal constant STREAMS = 2; // whose heads have
    uint256 internal constant MOST_LEAVES = 90;
    uint256 internal constant BLOCK_GAS = 30_000_000;

    Accepted[] public accepted;
    mapping(bytes32 log => uint64) public sizeOf;
    mapping(bytes32 log => uint64) public timeOf;
    mapping(bytes32 log => mapping(uint64 size => bytes32)) public rootOf;
    mapping(ILogAnchor.Refusal => uint256) public refusals;
    mapping(uint32 city => bool) public off;
    mapping(uint32 city => bytes32) internal frozen; // newest head of the RAW epoch that was closed last
    uint256 public trespasses;

    constructor() {
        deploy();
        as_(HANGZHOU);
        registry.addAccount(STATUS_ONLY, 0, ROLE_STATUS, 0, FOREVER);
        as_(HANGZHOU);
        registry.addAgency(AGENCY_A, 0, FOREVER);
        as_(HANGZHOU);
        registry.addAccount(DESK, AGENCY_A, ROLE_STATUS, 0, FOREVER);
        for (uint32 city = 1; city <= CITIES; ++city) {
            for (uint256 i = 0; i < STREAMS; ++i) {
                grow(city - 1, i, 5, 0);
            }
        }
    }

    // ------------------------------------------------------------------- acts

    /// @dev An honest publisher: some leaves more, with the right proof, perhaps too soon.
    function grow(uint256 cityDraw, uint256 streamDraw, uint256 by, uint256 wait) public {
        (uint32 city, bytes32 stream) = _log(cityDraw, streamDraw);
        pass(bound(wait, 0, 2 * MIN_INTERVAL), 1);
        if (sizeOf[_id(city, stream)] >= MOST_LEAVES) return;
        _publish(city, _grown(city, stream, bound(by, 1, 9)), _isDue(city, stream) ? 1 : 0);
    }

    /// @dev A confused publisher: a head that was accepted before, its proof lost.
    function repeat(uint256 which) external {
        pass(MIN_INTERVAL, 1);
        Accepted memory old = accepted[bound(which, 0, accepted.length - 1)];
        for (uint32 city = 1; city <= CITIES; ++city) {
            for (uint256 i = 0; i <= STREAMS; ++i) {
                bytes32 stream = i == STREAMS ? RAW : _stream(i);
                if (_id(city, stream) != old.log) continue;
                _publish(city, ILogAnchor.Item(stream, old.size, old.root, new bytes32[](0)), 0);
            }
        }
    }

    /// @dev A forger: another history of a log, proven as if it were the true one.
    function fork(uint256 cityDraw, uint256 streamDraw, uint256 salt, uint256 sizeDraw) external {
        (uint32 city, bytes32 stream) = _log(cityDraw, streamDraw);
        pass(MIN_INTERVAL, 1);
        uint64 size = sizeOf[_id(city, stream)];
        uint256 other = bound(sizeDraw, 1, 2 * size);
        bytes32[] memory leaves = Tree.grown(draw(salt, 1), other > size ? other : size);
        bytes32[] memory proof = other > size ? Tree.consistency(leaves, size, other) : new bytes32[](0);
        uint256 before = refusals[_reason(other, size)];
        _publish(city, ILogAnchor.Item(stream, uint64(other), Tree.root(leaves, 0, other), proof), 0);
        if (!off[city]) vm.assertEq(refusals[_reason(other, size)], before + 1, "refused for another reason");
    }

    /// @dev Anything at all. Only a first head without a proof can be sound.
    function anything(uint256 cityDraw, uint64 size, bytes32 root, bytes32[] calldata proof) external {
        uint32 city = _city(cityDraw);
        pass(MIN_INTERVAL, 1);
        bool first = sizeOf[_id(city, RAW)] == 0 && size != 0 && size <= 2 ** 32 && proof.length == 0
            && frozen[city] != keccak256(abi.encode(size, root));
        _publish(city, ILogAnchor.Item(RAW, size, root, proof), first ? 1 : 0);
    }

    /// @dev The governor ends an epoch, and a publisher that has not heard of it sends its newest head once more.
    function close(uint256 cityDraw, uint256 good) external {
        uint32 city = _city(cityDraw);
        bytes32 log = _id(city, RAW);
        uint64 size = sizeOf[log];
        if (size == 0) return;
        pass(MIN_INTERVAL, 1);
        as_(city);
        anchor.closeEpoch(RAW, uint64(bound(good, 0, size)));
        frozen[city] = keccak256(abi.encode(size, rootOf[log][size]));
        _publish(city, ILogAnchor.Item(RAW, size, rootOf[log][size], new bytes32[](0)), 0);
    }

    /// @dev A full transaction, sound heads between bad ones: the bad ones hinder nobody, and nothing reverts.
    function many(uint256 cityDraw, uint256 seed, uint256 count) external {
        uint32 city = _city(cityDraw);
        pass(MIN_INTERVAL, 1);
        ILogAnchor.Item[] memory items = new ILogAnchor.Item[](bound(count, 0, 64));
        uint256 sound = 0;
        for (uint256 i = 0; i < items.length; ++i) {
            bytes32 stream = _stream(i);
            bool honest = i < STREAMS && sizeOf[_id(city, stream)] < MOST_LEAVES;
            items[i] = honest ? _grown(city, stream, 1 + seed % 9) : _bad(city, stream, draw(seed, i));
            if (honest) ++sound;
        }
        if (off[city]) return _refusedAltogether(hot(city), items);
        vm.recordLogs();
        vm.prank(hot(city));
        anchor.publishMany{gas: BLOCK_GAS}(items);
        _harvest(city, sound);
    }

    /// @dev Somebody without the role, with a head that would be sound.
    function trespass(uint256 cityDraw, uint256 streamDraw, uint256 who, address anybody) external {
        (uint32 city, bytes32 stream) = _log(cityDraw, streamDraw);
        pass(MIN_INTERVAL, 1);
        address[6] memory others = [STATUS_ONLY, DESK, STRANGER, address(registry), governor(city), anybody];
        address sender = others[bound(who, 0, 5)];
        for (uint32 i = 1; i <= CITIES; ++i) {
            if (sender == hot(i)) return;
        }
        ILogAnchor.Item[] memory items = new ILogAnchor.Item[](1);
        items[0] = _grown(city, stream, 3);
        _refusedAltogether(sender, items);
    }

    /// @dev The governor takes the role from the hot account, or gives it back.
    function toggle(uint256 cityDraw) external {
        uint32 city = _city(cityDraw);
        pass(1, 1);
        off[city] = !off[city];
        as_(city);
        if (off[city]) registry.endAccount(hot(city), 0);
        else registry.addAccount(hot(city), 0, ROLE_PUBLISH | ROLE_STATUS, 0, FOREVER);
    }

    // ------------------------------------------------------------------ reads

    function acceptedCount() external view returns (uint256) {
        return accepted.length;
    }

    function head(bytes32 log) external view returns (ILogAnchor.Head memory) {
        return anchor.head(log);
    }

    function isHead(Accepted memory a, bytes32 root) external view returns (bool) {
        return anchor.isHead(a.log, a.size, root, a.prevSize, a.number, a.time);
    }

    /// @dev Root of the tree that the honest publisher has, at any size.
    function treeRoot(bytes32 log, uint64 size) external pure returns (bytes32) {
        return Tree.root(Tree.grown(uint256(log), size), 0, size);
    }

    /// @dev Ids of the logs with a tree behind them, every city's.
    function honestLogs() external view returns (bytes32[] memory logs) {
        logs = new bytes32[](CITIES * STREAMS);
        for (uint256 i = 0; i < logs.length; ++i) {
            logs[i] = _id(_city(i / STREAMS), _stream(i));
        }
    }

    // ---------------------------------------------------------------- sending

    function _publish(uint32 city, ILogAnchor.Item memory item, uint256 sound) private {
        if (off[city]) {
            ILogAnchor.Item[] memory items = new ILogAnchor.Item[](1);
            items[0] = item;
            return _refusedAltogether(hot(city), items);
        }
        vm.recordLogs();
        vm.prank(hot(city));
        anchor.publish{gas: BLOCK_GAS}(item.streamId, item.size, item.root, item.proof);
        _harvest(city, sound);
    }

    function _refusedAltogether(address sender, ILogAnchor.Item[] memory items) private {
        ++trespasses;
        vm.prank(sender);
        vm.expectRevert(unregistered(sender));
        anchor.publishMany(items);
        if (items.length == 0) return;
        vm.prank(sender);
        vm.expectRevert(unregistered(sender));
        anchor.publish(items[0].streamId, items[0].size, items[0].root, items[0].proof);
    }

    /// @dev Reads the events of what `city` just sent: only its own logs, each larger than it was, and `sound` of them.
    function _harvest(uint32 city, uint256 sound) private {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        uint256 count = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            bytes32 log = logs[i].topics[1];
            if (logs[i].topics[0] == ILogAnchor.HeadRefused.selector) {
                (,, ILogAnchor.Refusal code) = abi.decode(logs[i].data, (uint64, bytes32, ILogAnchor.Refusal));
                ++refusals[code];
                continue;
            }
            vm.assertEq(logs[i].topics[0], ILogAnchor.HeadPublished.selector, "an event nobody knows");
            vm.assertEq(uint256(logs[i].topics[2]), city, "another city's log");
            vm.assertEq(log, _id(city, logs[i].topics[3]), "log id");
            _accept(log, logs[i].data);
            ++count;
        }
        vm.assertEq(count, sound, "heads accepted");
    }

    function _accept(bytes32 log, bytes memory encoded) private {
        (, uint64 size, bytes32 root, uint64 prevSize, uint64 accepted_) =
            abi.decode(encoded, (uint32, uint64, bytes32, uint64, uint64));
        vm.assertTrue(size > sizeOf[log] && prevSize == sizeOf[log] && accepted_ == time, "does not grow");
        vm.assertEq(rootOf[log][size], 0, "a second root for this size");
        accepted.push(Accepted(log, size, root, prevSize, number, time));
        (sizeOf[log], timeOf[log], rootOf[log][size]) = (size, time, root);
    }

    // ------------------------------------------------------------------ items

    function _grown(uint32 city, bytes32 stream, uint256 by) private view returns (ILogAnchor.Item memory) {
        bytes32 log = _id(city, stream);
        uint64 size = sizeOf[log] + uint64(by);
        bytes32[] memory leaves = Tree.grown(uint256(log), size);
        bytes32[] memory proof = sizeOf[log] == 0 ? new bytes32[](0) : Tree.consistency(leaves, sizeOf[log], size);
        return ILogAnchor.Item(stream, size, Tree.root(leaves, 0, size), proof);
    }

    /// @dev Stale, equivocating, oversized, unproven, with a long proof: whatever the dice say.
    function _bad(uint32 city, bytes32 stream, uint256 dice) private view returns (ILogAnchor.Item memory) {
        uint64 size = sizeOf[_id(city, stream)];
        uint64[8] memory sizes = [0, size / 2, size, size + 1, size + 2 ** 32, size + 2 ** 33, 2 ** 63, FOREVER];
        bytes32[] memory proof = new bytes32[](dice >> 8 & 1 == 0 ? (dice >> 16) % 4 : (dice >> 16) % 70);
        return ILogAnchor.Item(stream, sizes[dice % 8], bytes32(dice), proof);
    }

    /// @dev Why another tree of `size` leaves is refused once there is a head of `newest` leaves.
    function _reason(uint256 size, uint256 newest) private pure returns (ILogAnchor.Refusal) {
        if (size < newest) return ILogAnchor.Refusal.STALE;
        return size == newest ? ILogAnchor.Refusal.EQUIVOCATION : ILogAnchor.Refusal.BAD_PROOF;
    }

    function _isDue(uint32 city, bytes32 stream) private view returns (bool) {
        bytes32 log = _id(city, stream);
        return sizeOf[log] == 0 || time - timeOf[log] >= MIN_INTERVAL;
    }

    function _log(uint256 cityDraw, uint256 streamDraw) private pure returns (uint32, bytes32) {
        return (_city(cityDraw), _stream(streamDraw));
    }

    function _city(uint256 x) private pure returns (uint32) {
        return uint32(bound(x, 0, CITIES - 1)) + 1;
    }

    function _stream(uint256 x) private pure returns (bytes32) {
        return x % STREAMS == 0 ? bytes32("certificate") : bytes32("access");
    }

    function _id(uint32 city, bytes32 stream) private view returns (bytes32) {
        return anchor.logId(city, stream, anchor.currentEpoch(city, stream));
    }
}
