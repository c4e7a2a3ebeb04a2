"""The command `certledger`: puts the commands together, and turns errors into words and exit codes.

Commands import what they need when they run: `verify --offline` never loads a chain client or a database.
"""

from __future__ import annotations

import os
import secrets
import sys
import traceback
from collections.abc import Sequence
from itertools import pairwise

import typer

from api.cli import exits
from api.cli.anchor import app as anchor
from api.cli.audit import app as audit
from api.cli.authorize import app as authorize
from api.cli.bench import bench
from api.cli.bundle import app as bundle
from api.cli.cert import app as cert
from api.cli.city import check, init, up
from api.cli.demo import demo
from api.cli.devnet import app as devnet
from api.cli.erase import erase
from api.cli.founding import join, prepare
from api.cli.holder import app as holder
from api.cli.log import app as log
from api.cli.member import app as member
from api.cli.output import Output
from api.cli.permit import app as permit
from api.cli.policy import app as policy
from api.cli.receipt import app as receipt
from api.cli.reuse import app as reuse
from api.cli.snapshot import app as snapshot
from api.cli.trust import app as trust
from api.cli.verify import verify
from api.errors import ApiError
from audit.errors import AuditError
from certs.errors import CertsError
from ledger.errors import LedgerError

INTERRUPTED = 130

app = typer.Typer(
    name="certledger",
    help="电子证照与审计账本 Certificates, authorizations and accesses, anchored on a chain that only grows.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (demo, up, init, prepare, join, verify, check, erase, bench):
    app.command()(command)
app.add_typer(cert, name="cert", help="证照 Certificates: issue, show, suspend, reinstate, revoke, cancel, renew.")
app.add_typer(bundle, name="bundle", help="证据包 Evidence bundles.")
app.add_typer(snapshot, name="snapshot", help="快照 Snapshots of the chain, cosigned by several cities.")
app.add_typer(trust, name="trust", help="信任文件 Trust files for verifiers.")
app.add_typer(receipt, name="receipt", help="回执 Receipts, and whether they were kept.")
app.add_typer(authorize, name="authorize", help="授权 Authorizations and mandates: create, record, show, revoke.")
app.add_typer(reuse, name="reuse", help="复用 Reading another city's data for a case: ask, answer, receive.")
app.add_typer(permit, name="permit", help="放行凭证 Permits for data that others hold: decide, close.")
app.add_typer(anchor, name="anchor", help="上链 Anchoring: what waits, what is final.")
app.add_typer(audit, name="audit", help="审计 Audit: check, trace, evidence, exports, two cities compared.")
app.add_typer(log, name="log", help="日志 The log and the status lists as static files.")
app.add_typer(policy, name="policy", help="规则 Catalogue, matters and lists that decisions go by.")
app.add_typer(member, name="member", help="成员 Agencies of this city on the chain.")
app.add_typer(holder, name="holder", help="本人查询 What a holder sees: who read what of mine.")
app.add_typer(devnet, name="devnet", help="开发链 The development chain.")


def main(argv: Sequence[str]) -> int:
    """The exit code of one command."""
    output = Output(_language(argv), "--json" in argv)
    try:
        code = app(args=list(argv), standalone_mode=False)
        return code if isinstance(code, int) else exits.DONE
    except typer.TyperException as error:
        return _refuse(output, ApiError("USAGE", error.format_message(), problem=error.format_message()))
    except (LedgerError, AuditError, CertsError, ApiError) as error:
        return _refuse(output, error)
    except (KeyboardInterrupt, typer.Abort):
        return INTERRUPTED
    except Exception:
        return _internal(output)


def run() -> None:
    """The console script."""
    sys.exit(main(sys.argv[1:]))


def _refuse(output: Output, error: LedgerError | AuditError | CertsError | ApiError) -> int:
    message = output.words.error(error.code, error.params, str(error))
    code = exits.exit_code(error)
    if output.as_json:
        problem = {"code": error.code, "text": message.text, "remedy": message.remedy, "params": error.params}
        output.json({"error": problem, "exit": code})
    output.err.print(f"{error.code}: {message.text}", style="red", markup=False)
    if message.remedy:
        output.err.print(f"→ {message.remedy}", markup=False)
    return code


def _internal(output: Output) -> int:
    """A defect. The traceback shows code, never values; only where somebody asked for it."""
    number = secrets.token_hex(4)
    message = output.words.error("INTERNAL", {"id": number}, "internal error")
    output.err.print(f"INTERNAL {number}: {message.text}\n→ {message.remedy}", style="red", markup=False)
    if os.environ.get("CERTLEDGER_DEBUG"):
        traceback.print_exc()
    return exits.INTERNAL


def _language(argv: Sequence[str]) -> str:
    """The language for errors that come before options are understood."""
    arguments = list(argv)
    named = [after for before, after in pairwise(arguments) if before == "--lang"]
    wanted = named[-1] if named else os.environ.get("CERTLEDGER_LANG", "zh")
    return "en" if wanted == "en" else "zh"
