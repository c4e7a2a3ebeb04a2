// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

import {Codes} from "../Codes.sol";
import {Base} from "./Base.sol";

/// @title Codes: agencies, types and endpoints
contract CodesTest is Base {
    bytes private constant ALPHABET = "ABCXYZabcxyz0189-._~:/[]";
    bytes private constant FORBIDDEN = "@%?#& ;,!$'()*+=<>\"\\^`{|}\n\x00\x7f\x80\xff";

    /// @dev Any 32 bytes: a code exactly if `length` letters or digits and then zeros.
    function testFuzz_whatACodeIs(bytes32 code, uint8 length, uint256 seed) external pure {
        uint256 count = bound(length, 1, 31);
        vm.assertTrue(Codes.isCode(code, count) == _isCode(code, count), "noise");
        bytes32 sound = _code(seed, count);
        vm.assertTrue(Codes.isCode(sound, count), "a code");
        vm.assertTrue(!Codes.isCode(sound, count + 1), "too short");
        vm.assertTrue(!Codes.isCode(sound, count - 1), "too long");
        bytes32 turned = sound ^ bytes32(1 << (seed % 256));
        vm.assertTrue(Codes.isCode(turned, count) == _isCode(turned, count), "a bit turned");
    }

    function testFuzz_anEndpointHasNoOtherCharacters(uint256 seed, uint8 place) external pure {
        bytes memory url = "https://abcdefghijklmnopqrst.example/ledger/here";
        for (uint256 i = 8; i < url.length; ++i) {
            url[i] = ALPHABET[draw(seed, i) % (i == 8 ? 16 : ALPHABET.length)];
        }
        vm.assertTrue(Codes.isEndpoint(url, false), "an endpoint");
        url[bound(place, 8, url.length - 1)] = FORBIDDEN[seed % FORBIDDEN.length];
        vm.assertTrue(!Codes.isEndpoint(url, true), "a forbidden character");
    }

    function test_anEndpointHasAnEnd() external pure {
        for (uint256 length = 9; length < 220; ++length) {
            bytes memory url = new bytes(length);
            for (uint256 i = 0; i < length; ++i) {
                url[i] = i < 8 ? bytes("https://")[i] : bytes1("a");
            }
            vm.assertTrue(Codes.isEndpoint(url, false) == (length <= 200), "length");
        }
    }

    function test_hosts() external pure {
        string[9] memory never = [
            "",
            "https://",
            "https:///ledger",
            "https://.example",
            "https://:443",
            "http://hangzhou.example",
            "http://localhost.example",
            "http://127.0.0.11",
            "ftp://hangzhou.example"
        ];
        for (uint256 i = 0; i < never.length; ++i) {
            vm.assertTrue(!Codes.isEndpoint(bytes(never[i]), true), never[i]);
        }
        string[5] memory loopback =
            ["http://localhost", "http://localhost:8000", "http://127.0.0.1/a", "http://[::1]:80", "http://127.0.0.1"];
        for (uint256 i = 0; i < loopback.length; ++i) {
            vm.assertTrue(Codes.isEndpoint(bytes(loopback[i]), true), loopback[i]);
            vm.assertTrue(!Codes.isEndpoint(bytes(loopback[i]), false), loopback[i]);
        }
        vm.assertTrue(Codes.isEndpoint("https://[2001:db8::1]:8443/ledger", false), "IPv6");
    }

    function _isCode(bytes32 code, uint256 length) private pure returns (bool) {
        for (uint256 i = 0; i < 32; ++i) {
            uint8 c = uint8(code[i]);
            bool letter = (c >= 48 && c <= 57) || (c >= 65 && c <= 90);
            if (i < length ? !letter : c != 0) return false;
        }
        return true;
    }

    function _code(uint256 seed, uint256 length) private pure returns (bytes32 code) {
        bytes memory characters = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        for (uint256 i = 0; i < length; ++i) {
            code |= bytes32(characters[draw(seed, i) % 36]) >> (8 * i);
        }
    }
}
