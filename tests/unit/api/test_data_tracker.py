"""Estonia's Data Tracker: what we answer has the form of its published description, and hides what is to be hidden."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import jsonschema_rs
import pytest
import vectors
import yaml
from audit_records import CITY_KEYS, access, digest, recorded
from audit_world import GRANTEE, HERE, NOW, PERSON, PROVIDER, PURPOSE

from api.compat import data_tracker
from api.compat.data_tracker import UsageQuery, Wording
from api.errors import ApiError
from audit.access import AccessStep
from audit.decision import DecisionCode
from audit.history import History, history
from audit.own import Ground
from audit.subject import subject_ref
from audit.trace import of_subject

WORDS = Wording(
    {GRANTEE: "南京市市场监督管理局（演示）"}, {Ground.OWN_STAFF: "本部门查询", Ground.OWN_HOLDER: "本人查询"}
)
HOUR = 3600


def seen() -> History:
    """Four readings an hour apart, the last one withheld; a refusal; a look by staff."""
    records = []
    for number in range(4):
        at = NOW + number * HOUR
        records.append(recorded(access(AccessStep.DECIDED, str(number)), at=at, index=2 * number))
        records.append(recorded(access(AccessStep.RELEASED, str(number)), at=at + 1, index=2 * number + 1))
    refused = access(AccessStep.DECIDED, "refused", code=DecisionCode.FIELD_NOT_NEEDED)
    staff = access(
        AccessStep.DECIDED,
        "staff",
        ground=Ground.OWN_STAFF,
        asker=PROVIDER,
        matter=None,
        authorization=None,
        purpose=None,
    )
    records += [recorded(refused, at=NOW + 9 * HOUR, index=8), recorded(staff, at=NOW - HOUR, index=9)]
    mine = of_subject((subject_ref(PERSON, CITY_KEYS[HERE]),))
    return history(records, mine, {digest("3"): NOW + 10**7})


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def usages(**query: Any) -> list[dict[str, Any]]:
    found: Any = data_tracker.find_usage(seen(), UsageQuery(**query), WORDS)["usages"]
    return list(found)


def test_a_usage_says_when_why_and_who() -> None:
    newest = usages()[0]
    assert newest == {
        "logtime": moment(NOW + 2 * HOUR).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "action": f"{PURPOSE.matter_name}（{PURPOSE.cause}）",
        "receiverCode": GRANTEE,
        "receiverName": "南京市市场监督管理局（演示）",
        "receiverSystem": PURPOSE.system,
    }
    staff = usages()[-1]
    assert (staff["receiverCode"], staff["action"], "receiverName" in staff) == (PROVIDER, "本部门查询", False)


def test_refusals_and_what_is_withheld_are_no_usages() -> None:
    answer = data_tracker.find_usage(seen(), UsageQuery(), WORDS)
    assert answer["totalUsages"] == len(usages()) == 4


def test_period_and_page() -> None:
    inside = {"start": moment(NOW), "end": moment(NOW + HOUR)}
    assert [usage["logtime"][11:13] for usage in usages(**inside)] == [f"{moment(NOW + HOUR):%H}", f"{moment(NOW):%H}"]
    assert usages(offset=1, limit=2) == usages()[1:3]
    answer = data_tracker.find_usage(seen(), UsageQuery(limit=0), WORDS)
    assert answer == {"totalUsages": 4, "usages": []}


@pytest.mark.parametrize(
    "query",
    [
        {"offset": -1},
        {"limit": 1001},
        {"limit": -1},
        {"start": moment(NOW), "end": moment(NOW) - timedelta(seconds=1)},
        {"start": moment(NOW).replace(tzinfo=None)},
    ],
)
def test_a_query_that_is_none_is_refused(query: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as refused:
        UsageQuery(**query)
    assert refused.value.code == "TRACKER_QUERY"


@vectors.needed
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("FindUsageResponse", data_tracker.find_usage(seen(), UsageQuery(), WORDS)),
        ("FindUsageResponse", data_tracker.find_usage(seen(), UsageQuery(limit=1), WORDS)),
        ("UsagePeriodResponse", data_tracker.usage_period(NOW)),
        ("HeartbeatResponse", data_tracker.heartbeat(())),
        ("HeartbeatResponse", data_tracker.heartbeat(("CHAIN_STOPPED",))),
    ],
)
def test_every_answer_has_the_published_form(name: str, answer: dict[str, Any]) -> None:
    published = yaml.safe_load((vectors.VECTORS / "data-tracker" / "dumonitor-openapi.yaml").read_text("utf-8"))
    schema = {"components": published["components"], "$ref": f"#/components/schemas/{name}"}
    checker = jsonschema_rs.Draft202012Validator(schema, validate_formats=True)
    assert [error.message for error in checker.iter_errors(answer)] == []
    known = published["components"]["schemas"]
    assert answer.keys() <= known[name]["properties"].keys()
    assert all(usage.keys() <= known["Usage"]["properties"].keys() for usage in answer.get("usages", []))
