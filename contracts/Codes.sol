// SPDX-License-Identifier: Apache-2.0
pragma solidity ^0.8.24;

/// @title Codes: the shape of the few texts that may stand on chain
/// @notice Narrow on purpose: what does not look like a code or a service's base URL is kept out, names of people too.
library Codes {
    /// @dev Longest endpoint, in characters.
    uint256 internal constant MAX_ENDPOINT = 200;

    /// @notice Whether `code` is exactly `length` characters 0-9A-Z, left-aligned and zero-padded.
    function isCode(bytes32 code, uint256 length) internal pure returns (bool) {
        for (uint256 i = 0; i < length; ++i) {
            bytes1 c = code[i];
            if (!((c >= "0" && c <= "9") || (c >= "A" && c <= "Z"))) return false;
        }
        return uint256(code) << (8 * length) == 0;
    }

    /// @notice Whether `url` may be a city's endpoint: see IMemberRegistry.setEndpoint.
    /// @param loopback Whether plain http on the machine itself is allowed too.
    function isEndpoint(bytes memory url, bool loopback) internal pure returns (bool) {
        if (url.length > MAX_ENDPOINT) return false;
        for (uint256 i = 0; i < url.length; ++i) {
            if (!_inUrl(url[i])) return false;
        }
        if (_startsWith(url, "https://")) return url.length > 8 && _startsHost(url[8]);
        return loopback
            && (_isOrigin(url, "http://127.0.0.1")
                || _isOrigin(url, "http://localhost")
                || _isOrigin(url, "http://[::1]"));
    }

    /// @dev No `@` (another host in disguise), no `%`, `?` or `#`, no blank: a base URL needs none of them.
    function _inUrl(bytes1 c) private pure returns (bool) {
        return (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || (c >= "-" && c <= ":") || c == "_" || c == "~"
            || c == "[" || c == "]";
    }

    /// @dev A host begins with a letter, a digit or the bracket of an IPv6 address.
    function _startsHost(bytes1 c) private pure returns (bool) {
        return (c >= "a" && c <= "z") || (c >= "A" && c <= "Z") || (c >= "0" && c <= "9") || c == "[";
    }

    /// @dev The origin must be complete: `http://localhost.example` is another host.
    function _isOrigin(bytes memory url, bytes memory origin) private pure returns (bool) {
        if (!_startsWith(url, origin)) return false;
        return url.length == origin.length || url[origin.length] == ":" || url[origin.length] == "/";
    }

    function _startsWith(bytes memory text, bytes memory start) private pure returns (bool) {
        if (text.length < start.length) return false;
        for (uint256 i = 0; i < start.length; ++i) {
            if (text[i] != start[i]) return false;
        }
        return true;
    }
}
