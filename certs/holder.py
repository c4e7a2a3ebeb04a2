"""Who holds a certificate: holder types (GB/T 36903 codes), their numbers, and what is wrong with one.

Codes of `HolderError` (parameters):
    HOLDER_TYPE_UNKNOWN                  not a holder type of GB/T 36903
    HOLDER_CODE_FORMAT                   empty, over 64 characters, or control characters
    USCC_FORMAT                          not 18 characters of GB 32100's alphabet (no I O S V Z)
    USCC_CHECK (expected)                wrong check character
    RESIDENT_ID_FORMAT                   not 17 digits and a digit or X (GB 11643)
    RESIDENT_ID_DATE                     the birth date in it does not exist
    RESIDENT_ID_CHECK                    wrong check character; not told which: it would complete a guessed number

Notes on a resident ID, never rejections: DIVISION_UNKNOWN (the table has no such division),
DIVISION_NOT_OF_BIRTH_YEAR (it was founded after or dissolved before the birth: most people born before 1984
carry such a code, because numbers were given out later).
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from typing import Final

from stdnum import numdb
from stdnum.iso7064 import mod_11_2

from certs.errors import HolderError

USCC_HOLDER: Final = "001"
RESIDENT_HOLDER: Final = "111"
MAX_CODE: Final = 64

DIVISION_UNKNOWN: Final = "DIVISION_UNKNOWN"
DIVISION_NOT_OF_BIRTH_YEAR: Final = "DIVISION_NOT_OF_BIRTH_YEAR"

# stdnum.cn.uscc wants eight leading digits, and bodies under the farm ministry begin with N2: the form is ours
# (GB 32100 §4: two letters or digits, six digits, the rest). Its check character takes as long as a signature, so that
# is computed here too; a test compares.
_USCC = re.compile(r"[0-9A-HJ-NPQRTUWXY]{2}[0-9]{6}[0-9A-HJ-NPQRTUWXY]{10}")
_RESIDENT_ID = re.compile(r"[0-9]{17}[0-9X]")
_USCC_ALPHABET: Final = "0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_VALUE: Final = {character: value for value, character in enumerate(_USCC_ALPHABET)}
_USCC_WEIGHTS: Final = tuple(pow(3, place, 31) for place in range(17))
_BLANK = re.compile(r"\s+")
_PERIOD = re.compile(r"\[([0-9]*)-([0-9]*)\]")


@dataclass(frozen=True, slots=True)
class HolderType:
    """One row of GB/T 36903's table of holder code types."""

    code: str
    """3 digits."""
    zh: str
    en: str


HOLDER_TYPES: Final = {
    row[0]: HolderType(*row)
    for row in (
        ("001", "统一社会信用代码", "Unified social credit code"),
        ("099", "其它组织", "Other organisation"),
        ("111", "公民身份号码", "Resident identity number"),
        ("114", "军官证", "Military officer card"),
        ("115", "警官证", "Police officer card"),
        ("118", "士兵证", "Soldier card"),
        ("119", "武警士兵证", "Armed police soldier card"),
        ("120", "文职", "Military civilian staff card"),
        ("122", "武警文职", "Armed police civilian staff card"),
        ("411", "外交护照", "Diplomatic passport"),
        ("412", "公务护照", "Service passport"),
        ("413", "公务普通护照", "Passport for public affairs"),
        ("414", "普通护照", "Ordinary passport"),
        ("511", "台胞证", "Travel permit of Taiwan residents"),
        ("516", "港澳", "Travel permit of Hong Kong and Macao residents"),
        ("999", "其它", "Other"),
    )
}


def normalised_code(holder_type: str, code: str) -> str:
    """The one spelling of a holder's code, checked: full width folded, blanks removed, capitals.

    Two spellings of one number must give one holder, or a trace by person misses half of the accesses.
    Raises `HolderError`.
    """
    if holder_type not in HOLDER_TYPES:
        raise HolderError("HOLDER_TYPE_UNKNOWN", "no such holder type in GB/T 36903")
    code = fold(code)
    if holder_type == USCC_HOLDER:
        check_uscc(code)
    elif holder_type == RESIDENT_HOLDER:
        check_resident_id(code)
    elif not 1 <= len(code) <= MAX_CODE or not code.isprintable():
        raise HolderError("HOLDER_CODE_FORMAT", f"not 1 to {MAX_CODE} printable characters", limit=MAX_CODE)
    return code


def fold(code: str) -> str:
    """Full width to half width (NFKC), without any blank, in capitals; nothing is checked."""
    if code.isascii() and code.isalnum():
        return code.upper()
    # Until nothing changes: taking a blank away may bring two characters together that are one.
    while (folded := _BLANK.sub("", unicodedata.normalize("NFKC", code)).upper()) != code:
        code = folded
    return folded


def check_uscc(code: str) -> None:
    """Accept a unified social credit code 统一社会信用代码 (GB 32100) as spelled, or raise `HolderError`."""
    if _USCC.fullmatch(code) is None:
        raise HolderError("USCC_FORMAT", "not the form of a unified social credit code")
    expected = _uscc_check(code[:17])
    if code[17] != expected:
        raise HolderError("USCC_CHECK", f"check character should be {expected}", expected=expected)


def check_resident_id(code: str) -> None:
    """Accept a resident ID 公民身份号码 (GB 11643) as spelled, or raise `HolderError`.

    `stdnum.cn.ric` is not used: it demands that the district existed in the year of birth.
    """
    if _RESIDENT_ID.fullmatch(code) is None:
        raise HolderError("RESIDENT_ID_FORMAT", "not 17 digits and a check character")
    try:
        date(int(code[6:10]), int(code[10:12]), int(code[12:14]))
    except ValueError:
        raise HolderError("RESIDENT_ID_DATE", "the birth date does not exist") from None
    if mod_11_2.checksum(code) != 1:
        raise HolderError("RESIDENT_ID_CHECK", "wrong check character")


def resident_id_notes(code: str) -> tuple[str, ...]:
    """What is remarkable about the division of an accepted resident ID; reads stdnum's packaged table."""
    found = numdb.get("cn/loc").info(code[:6])
    counties = [properties["county"] for _, properties in found if "county" in properties]
    if not counties:
        return (DIVISION_UNKNOWN,)
    year = int(code[6:10])
    named = counties[-1].split(",")
    return () if any(_existed(county, year) for county in named) else (DIVISION_NOT_OF_BIRTH_YEAR,)


def _existed(county: str, year: int) -> bool:
    """A county of the table is `name`, or `[from-to]name` with either year left out."""
    period = _PERIOD.match(county)
    if period is None:
        return True
    start, end = period.groups()
    return int(start or 0) <= year <= int(end or 9999)


# The holder's code and the code on the licence are mostly one and the same: the second check is free. Codes of
# organisations are public; resident IDs are never kept in a cache.
@lru_cache(maxsize=1024)
def _uscc_check(first17: str) -> str:
    total = sum(weight * _USCC_VALUE[character] for weight, character in zip(_USCC_WEIGHTS, first17, strict=True))
    return _USCC_ALPHABET[-total % 31]
