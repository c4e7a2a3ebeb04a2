"""Takes the examples of docs/formats.md from a demonstration that has just run.

    certledger demo --dir DIR && python docs/examples/from_demo.py DIR

Writes bundle.json and trust.json beside this file and replaces the labelled JSON blocks of formats.md. The city of
the demonstration records one cancellation more, the only statement that the walk does not make.
tests/architecture/test_docs.py reads all of it with the project's own code.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from api.cli.output import Output
from api.cli.verify import to_json
from api.verify import policy
from api.wiring import CITY_KEY, City
from certs import bundle as bundles
from certs import sdjwt, store
from certs.changing import ChangeStatus
from certs.lifecycle import Change
from certs.verify.verifier import Verifier
from ledger import canonical, commitment, entries, facts, trust
from ledger.jws import unb64url
from ledger.keys.keystore import P256, Keystore
from ledger.logid import ascii32
from ledger.status import Reason
from ledger.store import logs, outbox

HERE = Path(__file__).parent
FORMATS = HERE.parent / "formats.md"
PASSWORD = "correct horse battery staple"  # noqa: S105  # of a keystore made for the page and used for nothing
SECONDS_LATER = 60
"""When the example's verdict is given: this long after its snapshot. The test says the same."""


def examples(folder: Path) -> dict[str, Any]:
    """Label → value, all taken from what the demonstration left in `folder`."""
    untrusted = (folder / "bundles" / "two-claims.json").read_bytes()
    trusted = trust.decode((folder / "trust.json").read_bytes())
    bundle = bundles.decode(untrusted)
    presentation = sdjwt.parse(bundle.presentation)
    snapshot = canonical.loads(unb64url(bundle.snapshot.payload), max_bytes=bundles.MAX_BYTES)
    (HERE / "bundle.json").write_bytes(untrusted)
    (HERE / "trust.json").write_bytes(trust.encode(trusted))
    now = datetime.fromtimestamp(facts.from_json(snapshot).time + SECONDS_LATER, UTC)
    verified = Verifier(trusted).verify(untrusted, policy(), now, None)
    statement = canonical.dumps(bundle.statement)
    shown = json.loads(untrusted)
    found: dict[str, Any] = {
        "statement": bundle.statement,
        "leaf": {
            "salt": bundle.salt.hex(),
            "commitment": commitment.commit(statement, bundle.salt).hex(),
            "leaf_hash": commitment.statement_leaf(statement, bundle.salt).hex(),
        },
        "log": {
            "city": bundle.city,
            "stream": bundle.statement["stream"],
            "epoch": bundle.epoch,
            "stream_id": ascii32(str(bundle.statement["stream"])).hex(),
            "log": bundle.statement["log"],
        },
        "certificate-header": presentation.untrusted.untrusted_header,
        "certificate-payload": json.loads(presentation.untrusted.payload),
        "disclosure": json.loads(unb64url(presentation.disclosures[0].encoded)),
        "key": shown["key"],
        "inclusion": shown["inclusion"],
        "head": shown["head"],
        "snapshot-header": json.loads(unb64url(bundle.snapshot.signatures[0][0])),
        "facts": snapshot,
        "trust": json.loads(trust.encode(trusted)),
        "deployment": json.loads((folder / "hangzhou" / "deployment.json").read_bytes()),
        "verdict": to_json(verified, Output("en", as_json=True)),
    }
    return found | _recorded(folder / "hangzhou") | {"keystore": _keystore()}


def _recorded(home: Path) -> dict[str, Any]:
    """Bodies of statements, one of each type, and what the outbox holds of a change."""
    with City(home) as city:
        with city.database.reading() as connection:
            last = store.newest(connection, 1)[0]
        if last.status.name == "ACTIVE":
            cancel = ChangeStatus(last.identifier, last.issuer, Change.CANCEL, Reason.CANCELLED)
            city.sequencer.append(city.log, cancel)
        with city.database.reading() as connection:
            bodies = dict(_bodies(city, connection))
            items = outbox.waiting(connection, outbox.STATUS, 1)
    return {"bodies": bodies, "outbox-status": json.loads(items[0].body)}


def _bodies(city: City, connection: Any) -> Iterator[tuple[str, Any]]:
    """(type, body) of every entry; of a type made many times the last one counts."""
    (row,) = logs.every(connection)
    key = city.keystore.wrapper(CITY_KEY)
    for index, sealed in logs.entries(connection, row.no, 0, row.head.size):
        statement, _ = entries.open_entry(sealed, log_id=row.id, index=index, key=key)
        renewal = " (renewal)" if "replaces" in statement.body else ""
        yield statement.type + renewal, statement.body


def _keystore() -> Any:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "keystore.json"
        Keystore.create(path, PASSWORD.encode()).generate(("witness", P256))
        return json.loads(path.read_bytes())


def replace(text: str, label: str, value: Any) -> str:
    """`text` with the block labelled `label` holding `value`."""
    shown = re.sub(
        r"\[\s+((?:[^\[\]{}\"]|\"[^\"]{0,20}\")*?)\s+\]",  # short lists on one line
        lambda found: "[" + re.sub(r"\s*\n\s*", " ", found[1]) + "]",
        json.dumps(value, ensure_ascii=False, indent=2),
    )
    pattern = re.compile(rf"(<!-- example: {re.escape(label)} -->\n```json\n).*?(\n```)", re.DOTALL)
    replaced, number = pattern.subn(lambda found: found[1] + shown + found[2], text)
    if number != 1:
        raise SystemExit(f"formats.md has {number} examples called {label}")
    return replaced


def main(folder: Path) -> None:
    text = FORMATS.read_text(encoding="utf-8")
    for label, value in examples(folder).items():
        text = replace(text, label, value)
    FORMATS.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
