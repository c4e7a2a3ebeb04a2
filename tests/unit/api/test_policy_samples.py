"""The committed samples of rules: current, read without a fault, and agreeing with one another."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from api.demo import world
from api.policy_files import read_catalogue, read_lists_file, read_matters_file
from audit.list_file import check
from audit.lists import Act
from audit.request import Rules
from audit.resource import contested
from certs.certificate_type import load_catalogue

ROOT = Path(__file__).resolve().parents[3]
SAMPLES = ROOT / "samples" / "policy"
FILES = ("catalogue.csv", "lists.yaml", "matters.yaml")
BRANCH = "11320100XXXX32010P3000131901000"


def rules() -> Rules:
    read = read_catalogue(SAMPLES / "catalogue.csv")
    assert read.faults == ()
    return Rules(read.catalogue, read_matters_file(SAMPLES / "matters.yaml"), read_lists_file(SAMPLES / "lists.yaml"))


def test_the_samples_are_what_the_script_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, ROOT / "scripts" / "make_policy_samples.py", tmp_path], check=True)
    assert sorted(path.name for path in SAMPLES.iterdir()) == sorted(FILES)
    assert [(tmp_path / name).read_bytes() for name in FILES] == [(SAMPLES / name).read_bytes() for name in FILES]


def test_they_agree_and_every_item_has_one_source() -> None:
    check(rules())
    assert contested(rules().catalogue) == {}


def test_nanjing_may_ask_for_what_a_branch_needs_and_no_more() -> None:
    found, asker = rules(), world.agency("nanjing_market").code
    licence = load_catalogue()["business_licence"].code
    matter = found.matters[BRANCH]
    assert asker in matter.agencies and matter.name == "内资公司分公司设立登记"
    line = found.lists.share(world.agency("hangzhou_market").code, licence, asker, BRANCH)
    assert line is not None and line.fields == matter.needs[licence]
    assert "registered_capital" in found.catalogue[licence].fields - matter.needs[licence]
    card = load_catalogue()["resident_id_card"].code
    assert found.lists.forbidden(card, ("address", "ethnicity", "name"), BRANCH) == ("address", "ethnicity")
    assert found.lists.working_days(Act.CORRECT, world.agency("hangzhou_market").code) == 5
    assert found.lists.working_days(Act.CORRECT, asker) == 10
