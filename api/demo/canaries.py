"""Looking for personal values on the chain: every transaction, every event, against every value that was issued."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from api.wiring import City
from certs.certificate_type import load_catalogue
from certs.row_file import open_rows
from certs.rows import Issuer, Reject, RowReader

_PERSONAL = ("holder_name", "holder_code", "certificate_number", "legal_representative", "registered_address")
"""What the samples say about somebody."""
_TYPE = "business_licence"
_SHORTEST = 6
"""Bytes; two Chinese characters. Shorter values occur by chance."""


@dataclass(frozen=True, slots=True)
class Searched:
    values: int
    transactions: int
    events: int
    found: tuple[str, ...]
    """Hashes of the transactions in which something was found."""


def search(city: City, file: Path) -> Searched:
    """Every calldata and every event of the chain, searched for every personal value of `file`."""
    values = _values(city, file)
    transactions, events = city.chain.calldata_and_events()
    joined = b"\n".join(data for _, data in (*transactions, *events))
    # One pass over the chain finds every place where some value could begin; few are left to look at in full.
    beginnings = {joined[i : i + _SHORTEST] for i in range(len(joined))}
    suspects = [value for value in values if value[:_SHORTEST] in beginnings]
    places = [tx.hex() for tx, data in (*transactions, *events) if any(value in data for value in suspects)]
    return Searched(len(values), len(transactions), len(events), tuple(places))


def _values(city: City, file: Path) -> set[bytes]:
    certificate_type = load_catalogue().find(_TYPE)
    issuer = Issuer("0" * 18, "-", str(city.settings.division))
    with open_rows(file, certificate_type) as rows:
        reader = RowReader(certificate_type, rows.columns, issuer, city.clock().date())
        read = [row for row in map(reader.read, rows) if not isinstance(row, Reject)]
    texts = {str(row.attributes.get(name, "")) for row in read for name in _PERSONAL}
    return {text.encode() for text in texts if len(text.encode()) >= _SHORTEST}
