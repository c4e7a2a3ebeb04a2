"""kill -9 right after each labelled step of every order that matters, then the same command again.

A step is a comment in the product, `# Crash <label>: <what is left then>`; `dying/sitecustomize.py` makes it deadly.
The table below names for each label the commands that must survive it, and a test proves that none is left out.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
import referee
from command_line import ROOT, certledger, service, transactions
from homes import CARD, HANG_SECONDS, LICENCE, MARKET, MARKET_NAME, POLICE, Home, copied, sample, write
from labels import Server, labelled_steps
from test_reading_steps import READING

from api.cli.main import main
from certs import store
from certs.certificate_type import load_catalogue
from certs.store import Certificate
from ledger.status import Status
from ledger.store import outbox
from ledger.verdict import Result

ROWS = 503
"""One full batch of an issuing run, which is acknowledged, and the beginning of a second."""
HEADER, GOOD = sample()
IMPORTED, IMPORT_ROWS = "safety_officer_certificate", 20

APPEND = ("locked", "decided", "entries", "tiles", "written", "committed", "guarded")
PUBLISH = ("signed", "taken", "stored", "sent")
SETTLE = ("marked", "recorded")

TABLE: dict[str, tuple[str, ...]] = {
    "issue": (
        *(f"append/{step}:2" for step in APPEND),
        *(f"issue/{step}:2" for step in ("places", "keys", "minted", "recorded")),
        *(f"publish/{step}" for step in PUBLISH),
        *(f"settle/{step}" for step in SETTLE),
    ),
    "renew": ("issue/superseded:2", "append/committed", "transact/one-sent", "settle/recorded:1"),
    "revoke": ("change/queued", "append/written", "append/committed", "append/guarded", "publish/stored"),
    "import": ("import/places", "import/keys", "import/minted", "import/ended", "import/recorded", "append/committed"),
    "submit": ("publish/sent", "settle/marked", "settle/recorded"),
    "lost": ("publish/read-back",),
    "member": ("transact/stored", "member/on-chain", "member/known"),
    "adopt": ("adopt/stored", "append/committed"),
    "correct": ("correction/stored",),
    "register": ("evidence/registered",),
    "evidence": ("evidence/openings", "append/guarded"),
    "refresh": ("file/written",),
    "export": ("bundle/recorded",),
    "erase": (
        *(f"erase/{step}" for step in ("decided", "recorded", "anchored", "destroyed", "cleared", "cut")),
        *("destroy/committed", "append/committed"),
    ),
}
"""Command → steps at which it is killed."""
UP = ("chain/mined", "journal/written", "journal/synced", "journal/published", "publish/stored", "settle/recorded")
"""Steps of `certledger up`, which runs the chain itself."""
INIT = (
    *("init/password-open", "init/password", "init/settings", "init/keystore", "init/keys", "init/tables"),
    *("init/chain", "transact/stored", "deploy/registry", "deploy/sent", "deploy/settled", "init/deployed"),
    *("init/named", "init/city-keys"),
)
"""Steps of `certledger init`, in the order in which it comes to them."""
ROLLED_BACK = ("transact/reopened",)
"""Steps of `anchor submit` after the chain has lost blocks: tests/faults/test_chain_rolled_back.py."""
CASES = [(act, step) for act, steps in TABLE.items() for step in steps]


def test_every_labelled_step_is_in_the_table() -> None:
    covered = {step.partition(":")[0] for _, step in CASES} | {*UP, *INIT, *ROLLED_BACK}
    covered |= {case.step for case in READING}
    assert covered == set(labelled_steps())


@pytest.fixture(scope="module")
def living(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Home]:
    """One city that all commands are killed in, one after the other: what one leaves, the next one finds."""
    with copied(founded, tmp_path_factory.mktemp("living")) as home:
        home.issue(rows_of(home, "first", 20))
        home.publish()
        yield home


def rows_of(home: Home, name: str, count: int, **cells: str) -> Path:
    """Licences under numbers of their own."""
    at = {heading: HEADER.index(heading) for heading in cells} | {"证照编号": HEADER.index("证照编号")}
    made = []
    for row in GOOD[:count]:
        new = list(row)
        new[at["证照编号"]] = f"{name}-{row[at['证照编号']]}"
        for heading, value in cells.items():
            new[at[heading]] = value
        made.append(new)
    return write(home.folder.parent / f"{name}.csv", HEADER, made)


Arguments = tuple[object, ...]


class Acts:
    """The commands of the table: what they are given, and how each is finished after it died."""

    def __init__(self, home: Home, name: str) -> None:
        self.home = home
        self.name = name.replace("/", "-").replace(":", "-")

    def issue(self) -> Arguments:
        return ("cert", "issue", rows_of(self.home, self.name, ROWS), "--type", LICENCE, "--agency", MARKET)

    def renew(self) -> Arguments:
        self.home.issue(rows_of(self.home, self.name, 3))
        self.home.publish()
        moved = rows_of(self.home, self.name, 3, 住所或经营场所="浙江省杭州市西湖区文三路 1 号")
        return ("cert", "renew", moved, "--type", LICENCE, "--agency", MARKET)

    def revoke(self) -> Arguments:
        self.home.issue(rows_of(self.home, self.name, 1))
        self.home.publish()
        return ("cert", "revoke", newest(self.home).identifier, "--agency", MARKET)

    def import_(self) -> Arguments:
        """Rows of their own from one folder of existing certificates, some of which have ended."""
        folder = self.home.folder.parent / "existing"
        if not folder.exists():
            script, number = ROOT / "scripts" / "make_import_samples.py", IMPORT_ROWS * len(TABLE["import"])
            subprocess.run([sys.executable, script, folder, str(number)], check=True, capture_output=True)
        header, *rows = (folder / "index.csv").read_text(encoding="utf-8").splitlines()
        first = IMPORT_ROWS * [f"import/{step}".replace("/", "-") for step in TABLE["import"]].index(self.name)
        index = folder / f"{self.name}.csv"
        index.write_text("\n".join([header, *rows[first : first + IMPORT_ROWS]]) + "\n", encoding="utf-8")
        return ("cert", "import", index, "--type", IMPORTED, "--agency", MARKET)

    def submit(self) -> Arguments:
        self.home.issue(rows_of(self.home, self.name, 3))
        return ("anchor", "submit")

    def lost(self) -> Arguments:
        """The outbox forgot a head that the chain has."""
        self.submit()
        self.home.publish()
        for table in ("outbox", "anchor"):
            self.home.edit(f"DELETE FROM {table}")
        with self.home.city.database.writing() as connection:
            outbox.put_head(connection, self.home.city.log.id)
        return ("anchor", "submit")

    def member(self) -> Arguments:
        types = {"transact-stored": "fire_safety_opinion", "member-on-chain": "remote_care_record"}
        added = types.get(self.name.removeprefix("member-"), "housing_fund_decision")
        return ("member", "add", "--agency", POLICE, "--name", MARKET_NAME, "--type", CARD, "--type", added)

    def adopt(self) -> Arguments:
        """A catalogue that was never adopted."""
        catalogue = self.home.folder.parent / f"{self.name}.csv"
        text = (ROOT / "samples" / "policy" / "catalogue.csv").read_text(encoding="utf-8")
        catalogue.write_text(text.replace("登记信息", self.name), encoding="utf-8")
        return ("policy", "import", "--catalogue", catalogue, "--agency", MARKET, "--yes")

    def correct(self) -> Arguments:
        run(self.home, *self.adopt())
        wrong = ("--resource", load_catalogue()[LICENCE].code, "--field", "business_scope")
        return ("policy", "correct", "open", *wrong, "--agency", MARKET)

    def register(self) -> Arguments:
        kind = self.home.folder.parent / f"{self.name}.type.json"
        kind.write_text('{"clear": {"mm": {"type": "integer"}}, "private": {"who": {"type": "string"}}}')
        return ("evidence", "register", "--stream", "gauge", "--type", self.name, kind, "--agency", MARKET)

    def evidence(self) -> Arguments:
        run(self.home, *self.register())
        items = self.home.folder.parent / f"{self.name}.json"
        items.write_text('[{"mm": 1, "who": "a"}, {"mm": 2, "who": "b"}]')
        return ("evidence", "append", "--stream", "gauge", "--type", self.name, items, "--agency", MARKET)

    def refresh(self) -> Arguments:
        identifier = newest(self.home).identifier
        folder = self.home.folder.parent / self.name
        run(self.home, "bundle", "export", identifier, "--out", folder)
        return ("bundle", "refresh", folder / f"{identifier}.json")

    def export(self) -> Arguments:
        return ("bundle", "export", newest(self.home).identifier, "--out", self.home.folder.parent / self.name)

    def erase(self) -> Arguments:
        """The first of two: the last is shown afterwards."""
        self.home.issue(rows_of(self.home, self.name, 2))
        self.home.publish()
        operators = ("--operator", "op-11111111", "--operator", "op-22222222")
        return ("erase", self.home.certificates()[1].identifier, "--basis", "演示", *operators)


def newest(home: Home) -> Certificate:
    """The certificate recorded last."""
    with home.city.database.reading() as connection:
        return store.newest(connection, 1)[0]


def run(home: Home, *arguments: object) -> int:
    """The command once more, as after a restart: a new city, opened in this process, from what is on disk."""
    return main([*map(str, arguments), "--home", str(home.folder), "--json"])


@pytest.mark.parametrize(("act", "step"), CASES, ids=[f"{act}-{step}" for act, step in CASES])
def test_killed_at(
    living: Home, server: Server, act: str, step: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    acts = Acts(living, f"{act}-{step}")
    prepare: Callable[[], Arguments] = getattr(acts, "import_" if act == "import" else act)
    arguments = (*prepare(), "--home", living.folder, "--json")
    before = referee.judge(living.folder, living.chain.url)
    told = server.killed_at(step, tmp_path, *arguments)

    living.reopen()
    referee.kept(living.folder, told)
    code = main([*map(str, arguments)])
    # A change that was recorded and never answered is refused the second time: its certificate is so already.
    assert code == 0 or (act == "revoke" and "STATUS_NOT_POSSIBLE" in capsys.readouterr().out), capsys.readouterr()
    assert run(living, "anchor", "submit") == 0

    referee.kept(living.folder, told)
    after = referee.judge(living.folder, living.chain.url)
    assert after.waiting == 0 and after.transactions - before.transactions <= 3
    assert not living.wrong()
    last = newest(living)
    verified = living.verify(last.identifier, online=True).verdict
    assert verified.result is (Result.VALID if last.status == Status.ACTIVE else Result.INVALID), verified
    print(
        f"{act} killed at {step}: {len(told)} told, {after.certificates - before.certificates} certificates, "
        f"{after.transactions - before.transactions} transactions"
    )


def test_a_city_killed_at_every_step_of_its_making_is_one_city(server: Server, tmp_path: Path) -> None:
    """The same command again and again, each time a step further; then once to the end."""
    folder = tmp_path / "home"
    arguments = ("init", "--home", folder, "--city", 1, "--json")
    try:
        for step in INIT:
            server.killed_at(step, tmp_path, *arguments)
        made = certledger(*arguments).json
        assert certledger(*arguments).json == made
        with closing(sqlite3.connect(folder / "ledger.sqlite")) as database:
            labels = [row[0] for row in database.execute("SELECT label FROM chain_transaction ORDER BY id")]
        assert sorted(labels)[-3:] == ["deploy/LogAnchor", "deploy/MemberRegistry", "deploy/StatusRegistry"]
        assert len(labels) == 4, labels  # three contracts, the city's keys
        assert len(transactions(made["chain"])) == 4
        certledger("check", "--home", folder)
        print(f"init killed at {len(INIT)} steps: one consortium, 3 contracts, {len(labels)} transactions")
    finally:
        certledger("devnet", "down", "--home", folder, expect=None)


@pytest.mark.parametrize("step", UP)
def test_up_killed_at(founded: Path, server: Server, tmp_path: Path, step: str) -> None:
    """The chain dies with the service that runs it. Started again, it anchors what waits, once."""
    folder = Path(shutil.copytree(founded, tmp_path / "home"))
    file = write(tmp_path / "rows.csv", HEADER, GOOD[:20])
    issued = ("cert", "issue", file, "--type", LICENCE, "--agency", MARKET, "--no-anchor", "--home", folder)
    assert main([*map(str, issued)]) == 0
    server.killed_at(step, tmp_path, "up", "--home", folder)
    with service("up", "--home", folder, ready="http://"):
        until(lambda: done(folder))
        found = referee.judge(folder, f"http://127.0.0.1:{(folder / 'chain' / 'port').read_text()}")
        assert main(["check", "--all", "--home", str(folder)]) == 0
    assert (found.entries, found.transactions, found.heads[-1][0]) == (20, 1, 20)
    print(f"up killed at {step}: 20 entries anchored by 1 transaction")


def done(folder: Path) -> bool:
    with closing(sqlite3.connect(folder / "ledger.sqlite", timeout=60)) as database:
        return {row[0] for row in database.execute("SELECT state FROM outbox")} == {"done"}


def until(question: Callable[[], bool]) -> None:
    deadline = time.monotonic() + HANG_SECONDS
    while not question():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
