"""Write samples/policy/: catalogue, matters and lists of the demonstration's Hangzhou, the same bytes on every run.

Agencies and holders are fictitious (api/demo/demo.yaml); the laws that the negative list cites exist.
Usage: python scripts/make_policy_samples.py [folder]
"""

from __future__ import annotations

import csv
import io
import sys
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from audit.resource import TITLES
from certs.certificate_type import COMMON_FIELDS, CertificateType, load_catalogue

ROOT = Path(__file__).resolve().parent.parent
CITY = "A"
WORLD: Any = yaml.safe_load((resources.files("api.demo") / "demo.yaml").read_text("utf-8"))
AGENCIES = WORLD["agencies"]
BRANCH = next(matter for matter in WORLD["matters"] if matter["id"] == "branch_registration")
TASK = {matter["id"]: matter["task_code"] for matter in WORLD["matters"]}
DEPENDENT = {"birth_date", "sex", "name", "id_number"}
"""Items that other agencies copy from the identity card: one item has one source 一数一源."""
CYCLES = {"housing_fund_decision": "每日", "remote_care_record": "每日"}
CONDITION = "凭当事人授权或部门间协议，按事项所需最小范围提供"
HEADER = "# 演示数据，由 `make samples` 生成，请勿手工修改。Demonstration; written by `make samples`: do not edit.\n"


def catalogue() -> str:
    """One row for each type and each agency of the city that issues it."""
    lines = io.StringIO()
    writer = csv.writer(lines, lineterminator="\r\n")
    writer.writerow(TITLES.values())
    for type_id, issuers in WORLD["issuers"].items():
        kind = load_catalogue()[type_id]
        for agency in (AGENCIES[key] for key in issuers if AGENCIES[key]["city"] == CITY):
            row = resource(kind, agency)
            writer.writerow(row[name] for name in TITLES)
    return "\ufeff" + lines.getvalue()


def resource(kind: CertificateType, agency: dict[str, str]) -> dict[str, str]:
    own = [field.name for field in kind.fields[len(COMMON_FIELDS) :]]
    lead = [name for name in own if kind.id == "resident_id_card" or name not in DEPENDENT]
    return {
        "name": kind.title_zh,
        "code": kind.code,
        "provider_name": agency["name"],
        "provider": agency["code"],
        "summary": f"{agency['name']}签发的{kind.title_zh}登记信息",
        "format": "电子证照",
        "sharing": "2",
        "condition": CONDITION,
        "mode": "接口",
        "open": "否",
        "cycle": CYCLES.get(kind.id, "实时"),
        "items": "；".join(f"{field.zh}({field.name})" for field in kind.fields),
        "authoritative": "；".join(lead),
    }


def matters() -> str:
    """As departments write them, agencies by their names."""
    written = []
    for matter in WORLD["matters"]:
        departments = [{"name": AGENCIES[d["agency"]]["name"], **without(d, "agency")} for d in matter["departments"]]
        written.append({**matter, "departments": departments})
    counters = [agency["code"] for agency in AGENCIES.values() if "counter" in agency["roles"]]
    return to_yaml({"agencies": names(), "counters": counters, "matters": written})


def lists() -> str:
    protection = "《中华人民共和国个人信息保护法》"
    negative = [
        forbidden("resident_id_card", "ethnicity", f"{protection}第二十八条、第三十四条"),
        forbidden("resident_id_card", "address", f"{protection}第六条、第三十四条"),
        forbidden("remote_care_record", "*", f"{protection}第二十八条", "remote_care_filing"),
        forbidden("housing_fund_decision", "amount", "《住房公积金管理条例》第二十七条", "housing_fund_withdrawal"),
    ]
    providers = {"business_licence": "hangzhou_market", "resident_id_card": "hangzhou_police"}
    responsibility = [share(agency, resource) for resource, agency in providers.items()]
    clocks = [{"act": "correct", "agency": AGENCIES["hangzhou_market"]["name"], "working_days": 5}]
    return to_yaml({"agencies": names(), "negative": negative, "responsibility": responsibility, "clocks": clocks})


def share(provider: str, resource: str) -> dict[str, Any]:
    """What Nanjing's market bureau needs for a branch, and no more."""
    return {
        "provider": AGENCIES[provider]["name"],
        "resource": resource,
        "grantee": AGENCIES["nanjing_market"]["name"],
        "fields": sorted(BRANCH["needs"][resource]),
        "matters": [BRANCH["task_code"]],
        "daily_limit": 200,
    }


def forbidden(resource: str, field: str, basis: str, *but_for: str) -> dict[str, Any]:
    return {"resource": resource, "field": field, "basis": basis, "except_matters": [TASK[each] for each in but_for]}


def names() -> dict[str, str]:
    return {agency["name"]: agency["code"] for agency in AGENCIES.values()}


def without(row: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != key}


def to_yaml(value: Any) -> str:
    return HEADER + yaml.dump(value, allow_unicode=True, sort_keys=False, width=160, Dumper=_NoReferences)


class _NoReferences(yaml.SafeDumper):
    """Writes a value out each time it stands there."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    texts = {"catalogue.csv": catalogue(), "matters.yaml": matters(), "lists.yaml": lists()}
    for name, text in texts.items():
        (folder / name).write_bytes(text.encode())


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "samples" / "policy")
