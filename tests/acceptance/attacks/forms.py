"""The spellings of one certificate: all that a lenient reader takes for the same signature over the same text."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Iterator
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from ledger.jws import b64url, unb64url

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
"""n of P-256 (FIPS 186): (r, s) and (r, n − s) are signatures of the same message."""
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
HARMLESS = {"escaped in the file", "spaced in the file"}
"""Other bytes of the file, and the very same certificate in it."""


@dataclass(frozen=True, slots=True)
class Parts:
    """A presentation taken apart."""

    protected: str
    payload: str
    signature: str
    rest: str

    @staticmethod
    def of(presentation: str) -> Parts:
        jwt, _, rest = presentation.partition("~")
        return Parts(*jwt.split("."), rest)

    def text(self, *, protected: str = "", payload: str = "", signature: str = "") -> str:
        jwt = (protected or self.protected, payload or self.payload, signature or self.signature)
        return f"{'.'.join(jwt)}~{self.rest}"

    @property
    def numbers(self) -> tuple[int, int]:
        raw = unb64url(self.signature)
        return int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")


def endings(text: str) -> Iterator[tuple[str, str]]:
    """Every base64url text that decodes to the same bytes: the last character has bits that nobody reads."""
    spare = {2: 4, 3: 2, 0: 0}[len(text) % 4]
    last = ALPHABET.index(text[-1])
    for bits in range(1 << spare):
        yield (
            ("canonical" if bits == last & ((1 << spare) - 1) else f"spare bits {bits}"),
            text[:-1] + ALPHABET[last >> spare << spare | bits],
        )


def signatures(parts: Parts) -> dict[str, str]:
    """The 32 forms that a published trial found: 16 endings of (r, s) and 16 of (r, n − s)."""
    r, s = parts.numbers
    found = {}
    for name, value in (("s", s), ("n − s", ORDER - s)):
        text = b64url(r.to_bytes(32, "big") + value.to_bytes(32, "big"))
        found |= {f"{name}, {ending}": parts.text(signature=form) for ending, form in endings(text)}
    return found


def others(parts: Parts) -> dict[str, str]:
    """Paddings, alphabets, encodings, and endings of the other parts."""
    r, s = parts.numbers
    big = [value.to_bytes(32, "big") for value in (r, s)]
    padded = urlsafe_b64encode(b"".join(big)).decode()
    shaped = {
        "padded": padded,
        "the alphabet of base64": parts.signature.replace("-", "+").replace("_", "/") + "==",
        "DER": b64url(encode_dss_signature(r, s)),
        "a zero in front": b64url(b"\0" + b"".join(big)),
        "zeros between r and s": b64url(big[0] + b"\0\0" + big[1]),
        "zeros before each": b64url(b"\0" + big[0] + b"\0" + big[1]),
        "a byte behind": b64url(b"".join(big) + b"\0"),
        "s + n": b64url(big[0] + (s + ORDER).to_bytes(33, "big")),
        "broken by a line": parts.signature[:40] + "\n" + parts.signature[40:],
        "a blank behind": parts.signature + " ",
    }
    found = {name: parts.text(signature=text) for name, text in shaped.items()}
    for part in ("protected", "payload"):
        text = getattr(parts, part)
        found |= {f"{part}, {name}": parts.text(**{part: form}) for name, form in endings(text) if name != "canonical"}
        found[f"{part}, padded"] = parts.text(**{part: text + "=" * (-len(text) % 4 or 4)})
    return found | _disclosures(parts)


def _disclosures(parts: Parts) -> dict[str, str]:
    """The last disclosure in its other endings: its digest is over its text, so none belongs to the certificate."""
    *front, last, _ = f"{parts.rest}".split("~")
    head = parts.text().partition("~")[0]
    forms = {f"disclosure, {name}": form for name, form in endings(last) if name != "canonical"}
    forms["disclosure, padded"] = last + "=" * (-len(last) % 4 or 4)
    return {name: "~".join((head, *front, form, "")) for name, form in forms.items()}


def files(bundle: bytes) -> dict[str, bytes]:
    """The same certificate in a file of other bytes."""
    text = str(json.loads(bundle)["presentation"])
    first = bundle.replace(text.encode(), f"\\u{ord(text[0]):04x}{text[1:]}".encode())
    return {"escaped in the file": first, "spaced in the file": bundle.replace(b'"salt":', b'"salt" : ')}
