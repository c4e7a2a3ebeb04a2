"""Rows of certificates that exist already, judged: as `certs.rows` does, and what only an import has to ask.

Three columns stand beside those of the type: `state_code` 证照状态 (the ministry's code, by the type's table), `file`
文件 (the OFD or PDF, several separated as lists are), `changed_at` 变更日期 (of the row in the system it comes from).

Rules of a reject beside those of `certs.rows` and `certs.state_code`:
    IDENTIFIER_TYPE_DIFFERS (expected)      the identifier is of another certificate type
    IDENTIFIER_ISSUER_DIFFERS (expected)    its ISSUER is the USCC of another agency
    IDENTIFIER_REGION_ELSEWHERE (expected)  its ISSUER is a region code, and not of this city
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final

from certs import identifier
from certs.cells import Cell, iso_date, text_of
from certs.certificate_type import CertificateType
from certs.errors import CellError, CertsError, IssuingError
from certs.field import Field
from certs.identifier import ISSUER_IS_REGION_CODE, Identifier
from certs.rows import IDENTIFIER, Columns, Issuer, RawRow, Reject, Row, RowReader
from certs.state_code import Ending, StateTable, load_state_tables

STATE: Final = "state_code"
FILE: Final = Field("file", "文件", "File", "WJ", "string_list", required=False)
CHANGED_AT: Final = Field("changed_at", "变更日期", "Changed at", "BGRQ", "date", required=False)


@dataclass(frozen=True, slots=True)
class ExistingRow:
    """A certificate that can be registered under the identifier it has."""

    row: Row
    """Its attributes with their identifier, without the three columns of the import."""
    identifier: Identifier
    ending: Ending | None
    """What to record beside the import; None: it holds as long as its dates say."""
    files: tuple[str, ...]
    """Names as the row gives them: hostile until a folder has looked at them."""

    @property
    def line(self) -> int:
        return self.row.line


def state_table(certificate_type: CertificateType) -> StateTable:
    """Raises `IssuingError` STATE_TABLE_MISSING: whose 01 it would be, nobody could say."""
    table = load_state_tables().get(certificate_type.state_code_table or "")
    if table is None:
        raise IssuingError("STATE_TABLE_MISSING", "the type names no table of state codes", type=certificate_type.id)
    return table


def import_type(certificate_type: CertificateType) -> CertificateType:
    """The type as a file of existing certificates writes it: with the three columns. Raises `IssuingError`."""
    state = Field(STATE, "证照状态", "State", "ZZZT", "code", values=state_table(certificate_type).codes)
    return replace(certificate_type, fields=(*certificate_type.fields, state, FILE, CHANGED_AT))


class ImportReader:
    """Judges the rows of one file of existing certificates: `read` is a pure function of the row."""

    def __init__(
        self,
        certificate_type: CertificateType,
        columns: Columns,
        issuer: Issuer,
        today: date,
        *,
        since: date | None = None,
    ) -> None:
        """`columns` are those of `import_type`; `since`: rows that did not change from this day on are left out."""
        self._rows = RowReader(import_type(certificate_type), columns, issuer, today, existing=True)
        self._table = state_table(certificate_type)
        self._type_code = certificate_type.code
        self._issuer = issuer.code
        self._region = issuer.area_code
        self._today = today.isoformat()
        self._since = since.isoformat() if since else ""
        names = [field.name for field in columns.fields]
        self._heading = dict(zip(names, columns.headings, strict=True))
        # The row's own date of change counts; the date of issue where it has none.
        self._dates = [names.index(name) for name in (CHANGED_AT.name, "issuing_date") if name in names]

    def read(self, raw: RawRow) -> ExistingRow | Reject | None:
        """The certificate, the first rule that the row breaks, or None: it did not change since then."""
        if self._since and self._is_older(raw.cells):
            return None
        row = self._rows.read(raw)
        if isinstance(row, Reject):
            return row
        attributes = dict(row.attributes)
        code, files = str(attributes.pop(STATE)), attributes.pop(FILE.name, [])
        attributes.pop(CHANGED_AT.name, None)
        name = IDENTIFIER
        try:
            parts = self._identify(str(attributes[IDENTIFIER]))
            name = STATE
            ending = self._table.ending(code, str(attributes["validity_end"]), self._today)
        except CertsError as error:
            return Reject(raw.line, self._heading.get(name, name), error.code, error.params)
        attributes[IDENTIFIER] = str(parts)
        named = tuple(files) if isinstance(files, list) else ()
        return ExistingRow(replace(row, attributes=attributes), parts, ending, named)

    def _is_older(self, cells: Sequence[Cell]) -> bool:
        """A row whose date cannot be read is not older: it is judged, and rejected by name."""
        for at in self._dates:
            try:
                text = text_of(cells[at]) if at < len(cells) else ""
                if text:
                    return iso_date(text) < self._since
            except CellError:
                return False
        return False

    def _identify(self, text: str) -> Identifier:
        """A wrong check variant is kept as it is; whose certificate it is must be plain."""
        parts = identifier.parse(text)
        if parts.type_code != self._type_code:
            raise CellError("IDENTIFIER_TYPE_DIFFERS", "an identifier of another type", expected=self._type_code)
        if ISSUER_IS_REGION_CODE in parts.notes:
            if not identifier.region_fits(parts.issuer, self._region):
                raise CellError("IDENTIFIER_REGION_ELSEWHERE", "a region of another city", expected=self._region)
        elif parts.issuer != self._issuer:
            raise CellError("IDENTIFIER_ISSUER_DIFFERS", "an identifier of another issuer", expected=self._issuer)
        return parts
