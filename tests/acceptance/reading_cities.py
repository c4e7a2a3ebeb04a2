"""Two cities where one reads the other's data: founded by the command, with rules, an authorization and persons."""

from __future__ import annotations

import csv
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from command_line import ROOT, certledger
from prepared_city import LICENCE, MARKET, MARKET_NAME, Home

from api import reuse, rulebook
from api.wiring import City
from audit.lists import Lists
from audit.matter import Matter, Matters
from audit.request import Rules
from audit.resource import ResourceCatalogue, Sharing
from audit.rulebook import Origin

BUREAU = "11330100XXXX33072F"
"""Of the providing city: records what is read."""
ASKER = "11320100XXXX32010P"
"""Of the asking city."""
RESOURCE = "11100000MB0143028R001"
MATTER, MATTER_NAME = "11320100XXXX32010P3000131901000", "内资公司分公司设立登记"
NEEDED = frozenset({"business_scope", "enterprise_name", "legal_representative", "unified_social_credit_code"})
GRANTED = ("business_scope", "enterprise_name")
PURPOSE = {
    "system": "南京市政务服务平台（演示）",
    "cause": "核验分公司设立条件",
    "category": "办理",
    "matter_name": MATTER_NAME,
    "matter_code": MATTER,
    "business_code": "320100202611240017",
    "org": ASKER,
    "operator": "op-9f2c41d07a",
}
ROWS = 40


@dataclass(frozen=True, slots=True)
class Reading:
    """Hangzhou provides, Nanjing asks."""

    folder: Path
    provider: Home
    asker: Home

    def person(self, number: int = 0) -> dict[str, str]:
        """Whose licence stands in row `number`."""
        with (self.folder / "rows.csv").open(encoding="utf-8") as file:
            return {"type": "001", "code": list(csv.DictReader(file))[number]["持证主体代码"]}

    def write(self, name: str, value: object) -> Path:
        path = self.folder / name
        path.write_text(json.dumps(value, ensure_ascii=False), encoding="utf-8")
        return path

    def key_of(self, number: int = 0) -> Path:
        """A key of the person's own, registered in the providing city."""
        path, password = self.folder / f"holder-{number}.json", self.folder / "password.txt"
        if not path.exists():
            certledger("authorize", "key", "new", "--out", path, "--public", f"{path}.pub", "--password-file", password)
            who = self.write(f"person-{number}.json", self.person(number))
            self.provider.run(
                "authorize", "key", "register", f"{path}.pub", "--holder", who, "--method", "clerk_witness"
            )
        return path

    def authorize(self, name: str, number: int = 0, **changes: Any) -> tuple[str, Path]:
        """A consent of person `number`, signed and recorded: (id, file)."""
        now, person = int(time.time()), self.person(number)
        described = {
            "kind": "consent",
            "grantor": {"holder": person},
            "subject": person,
            "grantee": ASKER,
            "providers": [1],
            "scopes": [{"resource": RESOURCE, "fields": list(GRANTED)}],
            "purpose": PURPOSE,
            "not_before": now - 60,
            "not_after": now + 86_400,
            "max_uses": 5,
            "method": "holder_key",
            "basis": "本人同意",
            **changes,
        }
        out = self.folder / f"{name}.json"
        key = ("--key", self.key_of(number), "--password-file", self.folder / "password.txt")
        described_in = self.write(f"{name}-description.json", described)
        certledger("authorize", "create", described_in, "--out", out, "--trust", self.provider.trust, *key)
        recorded = self.provider.run("authorize", "record", out, "--json").json
        return str(recorded["id"]), out

    def ask(self, name: str, authorization: Path, fields: tuple[str, ...] = GRANTED, number: int = 0) -> Path:
        """A request by the command: its file."""
        out = self.folder / f"{name}-request.txt"
        described = self.write(f"{name}-ask.json", self.description(fields, number))
        self.asker.run("reuse", "ask", described, "--out", out, "--authorization", authorization)
        return out

    def description(self, fields: tuple[str, ...] = GRANTED, number: int = 0) -> dict[str, object]:
        person = self.person(number)
        return {"provider": 1, "resource": RESOURCE, "fields": list(fields), "subject": person, "purpose": PURPOSE}

    def ask_often(self, folder: Path, consent: Path, count: int, first: int = 0, number: int = 0) -> list[Path]:
        """Many requests by one process: what is under test is their answering."""
        cited = reuse.cited(consent)
        paths = []
        with City(self.asker.path) as city:
            for n in range(first, first + count):
                sent = reuse.ask(city, self.description(number=number), cited)
                paths.append(folder / f"{n:05d}.txt")
                paths[-1].write_text(sent.text)
        return paths


@contextmanager
def founded(folder: Path) -> Iterator[Reading]:
    """Both cities on one chain, forty licences anchored, rules adopted; the chain is stopped afterwards."""
    provider, asker = Home(folder / "hangzhou", folder / "trust.json"), Home(folder / "nanjing", folder / "trust.json")
    nanjing = ("--city", 2, "--division", 320100, "--name", "南京市")
    hangzhou = ("--city", 1, "--division", 330100, "--name", "杭州市")
    consortium = "ab" * 32
    card = folder / "nanjing-card.json"
    card.write_text(asker.run("prepare", *nanjing, "--consortium", consortium, "--json").out, encoding="utf-8")
    provider.run("prepare", *hangzhou, "--consortium", consortium)
    try:
        url = provider.run("init", *hangzhou, "--founder", card, "--json").json["chain"]
        asker.run("join", provider.path / "deployment.json", "--rpc-url", url, *nanjing)
        provider.run("member", "add", "--agency", BUREAU, "--name", "杭州市数据资源管理局（演示）")
        provider.run("member", "add", "--agency", MARKET, "--name", MARKET_NAME, "--type", LICENCE)
        asker.run("member", "add", "--agency", ASKER, "--name", "南京市市场监督管理局（演示）")
        asker.run("member", "key", "add", "--agency", ASKER, "--use", "http")
        for home, steward in ((provider, BUREAU), (asker, ASKER)):
            settings = home.path / "certledger.toml"
            settings.write_text(settings.read_text().replace('steward = ""', f'steward = "{steward}"'))
        lines = (ROOT / "samples" / "business_licence.csv").read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / "rows.csv").write_text("".join(lines[: ROWS + 1]), encoding="utf-8")
        provider.issue(folder / "rows.csv")
        provider.run("trust", "export", "--out", provider.trust)
        _share(provider)
        yield Reading(folder, provider, asker)
    finally:
        provider.down()


def _share(provider: Home) -> None:
    """The licence is shared with agencies that handle the matter, in the fields it needs."""
    matter = Matter(MATTER, MATTER_NAME, {RESOURCE: NEEDED}, frozenset({ASKER}), {})
    with City(provider.path) as city:
        rules = rulebook.current(city)
        shared = replace(rules.catalogue[RESOURCE], sharing=Sharing.CONDITIONAL, condition="经本人授权", mode="接口")
        adopted = Rules(ResourceCatalogue((shared,)), Matters((matter,)), Lists())
        rulebook.adopt(city, adopted, agency=BUREAU, origin=Origin.IMPORTED, over=rules.version)
