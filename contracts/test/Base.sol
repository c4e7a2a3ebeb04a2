// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @dev The few commands of forge that these tests give. The whole list is in forge's own documentation.
interface Vm {
    struct Log {
        bytes32[] topics;
        bytes data;
        address emitter;
    }

    function prank(address sender) external;
    function warp(uint256 time) external;
    function roll(uint256 number) external;
    function mockCall(address target, bytes calldata given, bytes calldata answer) external;
    function mockCallRevert(address target, bytes calldata given, bytes calldata answer) external;
    function getCode(string calldata artifact) external view returns (bytes memory);
    function envOr(string calldata name, string calldata otherwise) external view returns (string memory);
    function expectRevert(bytes calldata reason) external;
    function expectRevert() external;
    function recordLogs() external;
    function getRecordedLogs() external returns (Log[] memory);
    function assertTrue(bool condition, string calldata what) external pure;
    function assertEq(uint256 left, uint256 right, string calldata what) external pure;
    function assertEq(bytes32 left, bytes32 right, string calldata what) external pure;
    function assertEq(address left, address right, string calldata what) external pure;
}

/// @title What every test here stands on: forge's commands and a clock
/// @dev The clock is kept here and never read from the block: with viaIR the compiler reads `block.timestamp` once in
/// a call, because on a chain it cannot change there.
abstract contract Base {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));
    uint64 internal constant FOREVER = type(uint64).max;
    uint64 internal constant GENESIS = 1_800_000_000;

    uint64 internal time = GENESIS;
    uint64 internal number = 1;

    /// @dev The next call runs in a later block: `seconds_` and `blocks` on.
    function pass(uint256 seconds_, uint256 blocks) internal {
        time += uint64(seconds_);
        number += uint64(blocks);
        tick();
    }

    /// @dev Puts the clock of the chain where ours is; forge turns it back between the calls of an invariant run.
    function tick() internal {
        vm.warp(time);
        vm.roll(number);
    }

    /// @dev A contract of ours by its name: the committed artifact if the environment says where artifacts are, else
    /// what forge compiled. Never by `new`, which would compile the contract into every test that deploys it.
    function deployed(string memory name, bytes memory arguments) internal returns (address made) {
        string memory folder = vm.envOr("ARTIFACTS", "");
        bool committed = bytes(folder).length != 0;
        string memory artifact =
            committed ? string.concat(folder, "/", name, ".json") : string.concat(name, ".sol:", name);
        bytes memory code = bytes.concat(vm.getCode(artifact), arguments);
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                returndatacopy(0, 0, returndatasize())
                revert(0, returndatasize())
            }
        }
    }

    /// @dev `x` folded into [low, high].
    function bound(uint256 x, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + x % (high - low + 1);
    }

    /// @dev The i-th number drawn from `seed`.
    function draw(uint256 seed, uint256 i) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode(seed, i)));
    }
}
