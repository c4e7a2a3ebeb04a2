"""Certificate identifiers 电子证照标识 (GB/T 36904): read what is in use, build only what the standard says.

`1.2.156.3005.2 . TYPE . ISSUER . SERIAL . VERSION . CHECK`: TYPE 21 characters (USCC of the body that defines
the type + 3 digits), ISSUER the USCC of the issuing body, SERIAL 1 to 64 digits and capital letters, VERSION
001 to 999, CHECK by ISO 7064 MOD 37,36 over the four parts before it, joined without dots and without the root.

Codes of `IdentifierError` (parameters):
    IDENTIFIER_LENGTH (limit)         longer than any identifier can be
    IDENTIFIER_CHARACTER (position)   something else than 0-9, A-Z and dots; position counts from 1
    IDENTIFIER_LOWER_CASE             lower-case letters: the check character knows none
    IDENTIFIER_ROOT (root)            does not begin with the national root
    IDENTIFIER_PARTS (found)          not five parts after the root
    IDENTIFIER_TYPE_CODE              TYPE is not 21 characters
    IDENTIFIER_ISSUER                 ISSUER is neither 18 characters nor a region code of 6 digits
    IDENTIFIER_SERIAL                 SERIAL is empty or over 64 characters
    IDENTIFIER_VERSION                VERSION is not 001 to 999
    IDENTIFIER_CHECK (expected)       CHECK fits neither the standard nor the known wrong variant
  raised by `build` alone, because reading only notes them:
    IDENTIFIER_ISSUER_REGION          a region code stands where the issuer's USCC belongs
    IDENTIFIER_ISSUER_USCC            ISSUER is not a valid USCC
    IDENTIFIER_TYPE_CODE_USCC         TYPE does not begin with a valid USCC and end with 3 digits
    IDENTIFIER_RANDOM_SHORT (needed)  fewer random bytes than a serial needs

Notes on an identifier that was read: CHECK_VARIANT_LETTERS_FROM_11, ISSUER_IS_REGION_CODE,
ISSUER_NOT_USCC, TYPE_CODE_NOT_USCC.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from certs.errors import HolderError, IdentifierError
from certs.holder import check_uscc

ROOT: Final = "1.2.156.3005.2"
MAX_LENGTH: Final = len(ROOT) + 1 + 21 + 1 + 18 + 1 + 64 + 1 + 3 + 1 + 1
SERIAL_BYTES: Final = 13
"""Random bytes behind a serial: 104 bits, above the 80 that the protocol asks for."""

CHECK_VARIANT_LETTERS_FROM_11: Final = "CHECK_VARIANT_LETTERS_FROM_11"
ISSUER_IS_REGION_CODE: Final = "ISSUER_IS_REGION_CODE"
ISSUER_NOT_USCC: Final = "ISSUER_NOT_USCC"
TYPE_CODE_NOT_USCC: Final = "TYPE_CODE_NOT_USCC"

Variant = Literal["standard", "wrong_letters_from_11"]

_ALPHABET: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
_VALUE: Final = {character: value for value, character in enumerate(_ALPHABET)}
# One step of the hybrid system: (product + value) mod 36, 36 if that is 0, doubled, mod 37. Never 0.
_NEXT_PRODUCT: Final = tuple(2 * (total % 36 or 36) % 37 for total in range(36 + 36))
_FOREIGN = re.compile(r"[^0-9A-Z.]")
_PARTS: Final = (
    ("IDENTIFIER_TYPE_CODE", re.compile(r"[0-9A-Z]{21}"), "the type code is not 21 characters"),
    ("IDENTIFIER_ISSUER", re.compile(r"[0-9A-Z]{18}|[0-9]{6}"), "the issuer is neither a USCC nor a region"),
    ("IDENTIFIER_SERIAL", re.compile(r"[0-9A-Z]{1,64}"), "the serial is not 1 to 64 characters"),
    ("IDENTIFIER_VERSION", re.compile(r"(?!000)[0-9]{3}"), "the version is not 001 to 999"),
)


@dataclass(frozen=True, slots=True)
class Identifier:
    """The parts of an identifier that was read. Only `parse` makes one, so its parts have been checked."""

    type_code: str
    """21 characters."""
    issuer: str
    """18 characters; 6 digits when a system put its region there (then a note says so)."""
    serial: str
    version: int
    """1 to 999; printed with three digits."""
    check: str
    variant: Variant
    notes: tuple[str, ...]

    def __str__(self) -> str:
        return f"{ROOT}.{self.type_code}.{self.issuer}.{self.serial}.{self.version:03d}.{self.check}"


def parse(text: str) -> Identifier:
    """Read an identifier of any age. Raises `IdentifierError`; oddities in live use become notes instead."""
    _check_characters(text)
    parts = _split(text)
    type_code, issuer, serial, version, check = parts
    _check_parts(parts)
    variant = _variant("".join(parts[:4]), check)
    notes = _notes(type_code, issuer, variant)
    return Identifier(type_code, issuer, serial, int(version), check, variant, notes)


def build(*, type_code: str, issuer: str, serial: str, version: int) -> str:
    """The identifier to issue: always the standard's check character, never a form that is only tolerated."""
    parts = (type_code, issuer, serial, f"{version:03d}")
    for part in parts:
        _check_characters(part)
    _check_parts(parts)
    if len(issuer) != 18:
        raise IdentifierError("IDENTIFIER_ISSUER_REGION", "a region code is not an issuer")
    if not _is_uscc(issuer):
        raise IdentifierError("IDENTIFIER_ISSUER_USCC", "the issuer is not a valid USCC")
    if not _is_type_code(type_code):
        raise IdentifierError("IDENTIFIER_TYPE_CODE_USCC", "the type code is not a USCC and three digits")
    return ".".join((ROOT, *parts, check_character("".join(parts))))


def region_fits(region: str, division: str) -> bool:
    """Does one of two GB/T 2260 codes lie in the other: 330106 in 330100 in 330000?

    What a region code in place of the issuer can tell at best; a province's code fits each of its cities.
    """
    inner, outer = sorted((_stem(region), _stem(division)), key=len, reverse=True)
    return bool(outer) and inner.startswith(outer)


def check_character(text: str) -> str:
    """ISO 7064 MOD 37,36 over 0-9A-Z. GB/T 36904 gives `A12425GABC1234002` → `M`."""
    _check_characters(text.replace(".", "_"))  # dots are no part of what is summed
    product = 36
    for character in text:
        product = _NEXT_PRODUCT[product + _VALUE[character]]
    return _ALPHABET[(37 - product) % 36]


def random_serial(random_bytes: bytes) -> str:
    """A serial of 20 digits and capital letters from the first 13 bytes of what the caller drew.

    The width is fixed so that the serial says nothing about its value. 36^20 is a little less than 2^104: some
    serials are twice as likely as others, and more than 102 bits stay unpredictable.
    """
    if len(random_bytes) < SERIAL_BYTES:
        raise IdentifierError("IDENTIFIER_RANDOM_SHORT", "too few random bytes", needed=SERIAL_BYTES)
    number = int.from_bytes(random_bytes[:SERIAL_BYTES], "big")
    digits = []
    for _ in range(20):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "".join(reversed(digits))


def _stem(code: str) -> str:
    """A division code without the pairs of zeros that say *all of it*."""
    while code.endswith("00"):
        code = code[:-2]
    return code


def _check_characters(text: str) -> None:
    if len(text) > MAX_LENGTH:
        raise IdentifierError("IDENTIFIER_LENGTH", f"longer than {MAX_LENGTH} characters", limit=MAX_LENGTH)
    foreign = _FOREIGN.search(text)
    if foreign is None:
        return
    if "a" <= foreign.group() <= "z":
        raise IdentifierError("IDENTIFIER_LOWER_CASE", "lower-case letters are not part of an identifier")
    at = foreign.start() + 1
    raise IdentifierError("IDENTIFIER_CHARACTER", f"a foreign character at position {at}", position=at)


def _split(text: str) -> tuple[str, ...]:
    if not text.startswith(ROOT + "."):
        raise IdentifierError("IDENTIFIER_ROOT", f"does not begin with {ROOT}", root=ROOT)
    parts = tuple(text[len(ROOT) + 1 :].split("."))
    if len(parts) != 5:
        raise IdentifierError("IDENTIFIER_PARTS", f"{len(parts)} parts instead of 5", found=len(parts))
    return parts


def _check_parts(parts: tuple[str, ...]) -> None:
    for (code, pattern, message), part in zip(_PARTS, parts, strict=False):
        if pattern.fullmatch(part) is None:
            raise IdentifierError(code, message)


def _variant(text: str, check: str) -> Variant:
    expected = check_character(text)
    if check == expected:
        return "standard"
    if check == _letters_from_11(text):
        return "wrong_letters_from_11"
    raise IdentifierError("IDENTIFIER_CHECK", f"check character should be {expected}", expected=expected)


def _letters_from_11(text: str) -> str:
    """The wrong variant of some provincial systems: A counts 11 instead of 10, and sums wrap elsewhere.

    Kept apart and never built: it is here only so that a certificate in people's hands can be named.
    """
    product = 36
    for character in text:
        value = _ALPHABET.index(character)
        value += value >= 10
        total = product + value
        if value > 10 and total > 37:
            total %= 37
        elif value < 10 and total > 36:
            total %= 36
        product = 2 * (total % 36 or 36) % 37
    return _ALPHABET[(36 - product) % 36]


def _notes(type_code: str, issuer: str, variant: Variant) -> tuple[str, ...]:
    notes = []
    if variant != "standard":
        notes.append(CHECK_VARIANT_LETTERS_FROM_11)
    if len(issuer) != 18:
        notes.append(ISSUER_IS_REGION_CODE)
    elif not _is_uscc(issuer):
        notes.append(ISSUER_NOT_USCC)
    if not _is_type_code(type_code):
        notes.append(TYPE_CODE_NOT_USCC)
    return tuple(notes)


def _is_type_code(type_code: str) -> bool:
    return _is_uscc(type_code[:18]) and type_code[18:].isdigit()


def _is_uscc(text: str) -> bool:
    try:
        check_uscc(text)
    except HolderError:
        return False
    return True
