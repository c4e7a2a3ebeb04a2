"""Write samples/: one file of rows for every certificate type, the same bytes on every run.

Nobody in them exists: organisation bodies have the unassigned form XXXX…, personal sequences are 996–999,
enterprise names say （演示）; all check characters are right but where a row is bad on purpose.
Usage: python scripts/make_samples.py [folder]
"""

from __future__ import annotations

import csv
import io
import json
import random
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import TypeVar

from stdnum.cn import uscc
from stdnum.iso7064 import mod_11_2

from certs.certificate_type import CertificateType, load_catalogue
from certs.rows import headings_of

ROOT = Path(__file__).resolve().parent.parent
SEED = 20260101
LICENCES = 10_000
OTHERS = 200
BAD_LINES = {2502: "USCC_CHECK", 5003: "DATE_IMPOSSIBLE", 7504: "VALUE_MISSING"}
"""Lines of business_licence.csv that are rejected, and by which rule."""

LAST_DAY = date(2025, 12, 31)
OPEN_ENDED = "长期"
Record = dict[str, str | int | list[str]]
T = TypeVar("T")

HANGZHOU = {
    "330102": "上城区", "330105": "拱墅区", "330106": "西湖区", "330108": "滨江区", "330109": "萧山区",
    "330110": "余杭区", "330111": "富阳区", "330112": "临安区", "330113": "临平区", "330114": "钱塘区",
}  # fmt: skip
NANJING = {
    "320102": "玄武区", "320104": "秦淮区", "320105": "建邺区", "320106": "鼓楼区", "320111": "浦口区",
    "320113": "栖霞区", "320114": "雨花台区", "320115": "江宁区", "320116": "六合区", "320117": "溧水区",
}  # fmt: skip
HEFEI = {"340102": "瑶海区", "340103": "庐阳区", "340104": "蜀山区", "340111": "包河区"}
CITIES = {"33": ("杭州市", HANGZHOU), "32": ("南京市", NANJING), "34": ("合肥市", HEFEI)}


def words(text: str) -> list[str]:
    return text.split()


SURNAMES = [*"王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗郑梁谢宋唐许韩冯邓曹彭曾肖田董潘袁蔡蒋余", "欧阳", "司徒"]
MEN = words("建国 志强 明华 海涛 俊杰 文斌 国平 立军 浩然 子轩 宏伟 永康 嘉诚 景行 思远 伟 磊 勇 鹏 涛")
WOMEN = words("秀英 丽华 晓雯 雅婷 思琪 春梅 玉兰 海燕 佳怡 欣妍 雪莹 若溪 桂芳 美玲 静怡 敏 静 芳 娜 婷")
WORDS = words("湖畔 云栖 钱江 江南 西溪 清波 望江 凤起 庆春 南屏 良渚 运河 桐荫 竹海 松风 鹿鸣 晨曦")
TAILS = words("启明 恒达 嘉禾 瑞丰 同创 博远 汇智 天成 众合 润泽")
ROADS = words("演示一路 演示二路 样例大道 示范街 虚拟巷 试行路 模型路 沙盘街")
TRADES = {
    "餐饮管理": "餐饮服务；食品销售；餐饮管理；外卖递送服务",
    "信息技术": "软件开发；信息系统集成服务；数据处理和存储支持服务；技术服务、技术咨询",
    "建设工程": "建设工程施工；建筑劳务分包；工程管理服务；建筑材料销售",
    "贸易": "日用百货销售；服装服饰批发；国内贸易代理；货物进出口",
    "文化传媒": "组织文化艺术交流活动；广告设计、代理；会议及展览服务；摄影扩印服务",
    "物业服务": "物业管理；停车场服务；家政服务；专业保洁、清洗、消毒服务",
}
COMPANIES = ["有限责任公司（自然人独资）", "其他有限责任公司"]
DISHES = ["热食类食品制售、冷食类食品制售", "预包装食品销售", "糕点类食品制售、自制饮品制售"]
APPROVAL = "（依法须经批准的项目,经相关部门批准后方可开展经营活动）"  # the ASCII comma makes the cell a quoted one


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    sex: str
    birth: date
    id_number: str


@dataclass(frozen=True, slots=True)
class Firm:
    name: str
    trade: str
    code: str
    division: str


class Dice:
    """Choices from a fixed seed. Only `random()` is used: Python promises its sequence, not that of `choice`."""

    def __init__(self, seed: str) -> None:
        self._random = random.Random(f"{SEED}/{seed}").random
        self._ids: set[str] = set()
        self._firms = 0

    def below(self, limit: int) -> int:
        return int(self._random() * limit)

    def one(self, options: Sequence[T]) -> T:
        return options[self.below(len(options))]

    def day(self, first: date, last: date) -> date:
        return first + timedelta(days=self.below((last - first).days + 1))

    def division(self, province: str) -> str:
        return self.one(list(CITIES[province][1]))

    def address(self, division: str) -> str:
        city, districts = CITIES[division[:2]]
        house = f"{self.one(ROADS)}{self.below(900) + 1}号{self.below(20) + 1}幢"
        return f"{city}{districts[division]}{house}{self.below(30) + 1}0{self.below(6) + 1}室"

    def person(self, province: str) -> Person:
        """A new person every time: no two share a number."""
        while True:
            male = self.below(2) == 1
            birth = self.day(date(1950, 1, 1), date(2004, 12, 31))
            sequence = self.one(["997", "999"] if male else ["996", "998"])
            first17 = f"{self.division(province)}{birth:%Y%m%d}{sequence}"
            if first17 not in self._ids:
                break
        self._ids.add(first17)
        name = self.one(SURNAMES) + self.one(MEN if male else WOMEN)
        return Person(name, "男" if male else "女", birth, first17 + mod_11_2.calc_check_digit(first17))

    def firm(self, province: str) -> Firm:
        """A new firm every time. Bodies 1001…1999 in each of a city's divisions, then the next thousand."""
        city, districts = CITIES[province]
        divisions = list(districts)
        number, at = divmod(self._firms, len(divisions))
        self._firms += 1
        trade = self.one(list(TRADES))
        name = f"{city[:-1]}{self.one(WORDS)}{self.one(TAILS)}{trade}有限公司（演示）"
        return Firm(name, trade, enterprise_code(divisions[at], 1001 + number), divisions[at])


def enterprise_code(division: str, number: int) -> str:
    """USCC 91 + division + XXXX + number + check of the body (GB 11714) + check (GB 32100)."""
    body = f"XXXX{number:04d}"
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    total = sum(alphabet.index(c) * w for c, w in zip(body, (3, 7, 9, 10, 5, 8, 4, 2), strict=True))
    first17 = f"91{division}{body}{'0123456789X0'[11 - total % 11]}"
    return first17 + uscc.calc_check_digit(first17)


def common(dice: Dice, number: str, holder: Person | Firm, division: str, *, years: int = 0) -> Record:
    issued = dice.day(date(2023, 1, 1), LAST_DAY)
    end = issued.replace(year=issued.year + years, day=min(issued.day, 28)).isoformat() if years else OPEN_ENDED
    return {
        "certificate_number": number,
        "holder_name": holder.name,
        "holder_code": holder.code if isinstance(holder, Firm) else holder.id_number,
        "holder_type": "001" if isinstance(holder, Firm) else "111",
        "issuing_date": issued.isoformat(),
        "validity_start": issued.isoformat(),
        "validity_end": end,
        "area_code": division,
    }


def business_licence(dice: Dice, at: int) -> Record:
    firm = dice.firm("33")
    founded = dice.day(date(2005, 1, 1), LAST_DAY)
    issued = dice.day(max(founded, date(2016, 1, 1)), LAST_DAY)
    scope = TRADES[firm.trade] + (APPROVAL if at % 3 == 0 else "")
    branch = at % 50 == 49
    name = firm.name.replace("（演示）", "分公司（演示）") if branch else firm.name
    district = HANGZHOU[firm.division]
    record = common(dice, f"YS{firm.division}{at + 1:08d}", firm, firm.division)
    return record | {
        "holder_name": name,
        "issuing_date": _short_date(issued) if at % 10 == 1 else issued.isoformat(),
        "validity_start": founded.isoformat(),
        "validity_end": OPEN_ENDED if at % 4 else founded.replace(year=founded.year + 30, day=1).isoformat(),
        "unified_social_credit_code": firm.code,
        "enterprise_name": name,
        "enterprise_type": "有限责任公司分公司" if branch else dice.one(COMPANIES),
        "legal_representative": dice.person("33").name,
        "registered_capital": dice.one([10, 50, 100, 300, 500, 1000, 5000]) * 1_000_000,
        "establishment_date": _long_date(founded) if at % 10 == 2 else founded.isoformat(),
        "registered_address": dice.address(firm.division),
        "business_scope": scope,
        "registration_authority": f"杭州市{district}市场监督管理局（演示）",
        "parent_code": enterprise_code(firm.division, 1001 + at // 20) if branch else "",
    }


def resident_id_card(dice: Dice, at: int) -> Record:
    person = dice.person("33")
    division = person.id_number[:6]
    ethnicity = dice.one(["汉"] * 9 + ["畲", "回", "土家"])
    return common(dice, person.id_number, person, division, years=20) | {
        **_named(person), "ethnicity": ethnicity, "address": dice.address(division), "id_number": person.id_number,
    }  # fmt: skip


def residence_permit(dice: Dice, at: int) -> Record:
    person = dice.person("33")
    division = dice.division("34")
    return common(dice, f"YS{division}{at + 1:010d}", person, division, years=1) | {
        **_named(person),
        "id_number": person.id_number,
        "household_address": dice.address(person.id_number[:6]),
        "residence_address": dice.address(division),
    }


def food_business_licence(dice: Dice, at: int) -> Record:
    firm = dice.firm("32")
    number = f"JY1{firm.division}{at + 1:07d}"
    return common(dice, number, firm, firm.division, years=5) | {
        "operator_name": firm.name,
        "unified_social_credit_code": firm.code,
        "responsible_person": dice.person("32").name,
        "business_premises": dice.address(firm.division),
        "business_format": dice.one(["餐饮服务经营者", "食品销售经营者", "集中用餐单位食堂"]),
        "business_items": dice.one(DISHES),
        "licence_number": number,
    }


def fire_safety_opinion(dice: Dice, at: int) -> Record:
    firm = dice.firm("32")
    number = f"宁消安检字〔2025〕第{at + 1:04d}号（演示）"
    return common(dice, number, firm, firm.division) | {
        "venue_name": firm.name.replace("有限公司", "营业厅"),
        "venue_address": dice.address(firm.division),
        "responsible_person": dice.person("32").name,
        "floor_area": f"{dice.below(300_000) / 100 + 50:.2f}",
        "floors": dice.one(["地上一层", "地上一层至二层", "地下一层至地上三层"]),
        "conclusion": dice.one(["合格", "合格", "合格", "不合格"]),
        "document_number": number,
    }


def real_estate_title(dice: Dice, at: int) -> Record:
    owner, second = dice.person("32"), dice.person("32")
    division = dice.division("32")
    shared = at % 3 == 0
    number = f"苏（2025）宁演不动产权第{at + 1:07d}号"
    return common(dice, number, owner, division) | {
        "title_number": number,
        "right_holder": [owner.name, second.name] if shared and owner.name != second.name else [owner.name],
        "co_ownership": "共同共有" if shared else "单独所有",
        "location": dice.address(division),
        "unit_number": f"{division}001001GB{at + 1:05d}F{dice.below(9999) + 1:08d}",
        "right_type": "国有建设用地使用权/房屋所有权",
        "right_nature": "出让/市场化商品房",
        "usage": dice.one(["城镇住宅用地/成套住宅", "商服用地/商业服务"]),
        "floor_area": f"{dice.below(12_000) / 100 + 40:.2f}",
        "use_term": f"国有建设用地使用权至{2070 + dice.below(20)}年12月31日止",
    }


def housing_fund_decision(dice: Dice, at: int) -> Record:
    person = dice.person("33")
    return common(dice, f"YSTQ2025{at + 1:06d}", person, "330100") | {
        "account_number": f"YS{dice.below(10**10):010d}",
        "reason": dice.one(["购买自住住房", "偿还购房贷款本息"]),
        "title_number": f"苏（2025）宁演不动产权第{at + 1:07d}号",
        "amount": (dice.below(300) + 20) * 100_000,
        "decision": dice.one(["准予提取", "准予提取", "不予提取"]),
    }


def remote_care_record(dice: Dice, at: int) -> Record:
    record = common(dice, f"YSBA2025{at + 1:06d}", dice.person("33"), "330100")
    return record | {
        "insured_area": "330100",
        "care_area": dice.division("34"),
        "category": dice.one(["1", "2", "3", "4"]),
        "start_date": record["validity_start"],
    }


def safety_officer_certificate(dice: Dice, at: int) -> Record:
    person, firm = dice.person("33"), dice.firm("33")
    kind = dice.one(["C1", "C2", "C3"])
    record = common(dice, f"浙建安{kind}（2025）{at + 1:07d}演", person, "330100", years=3)
    return record | {
        **_named(person),
        "id_number": person.id_number,
        "employer_name": firm.name,
        "employer_code": firm.code,
        "category": kind,
        "first_issue_date": record["issuing_date"],
        "associated_identifier": "",
    }


def constructor_certificate(dice: Dice, at: int) -> Record:
    person, firm = dice.person("32"), dice.firm("32")
    return common(dice, f"苏演2322025{at + 1:06d}", person, "320100", years=3) | {
        **_named(person),
        "registration_number": f"苏演232{at + 1:09d}",
        "specialities": dice.one(["建筑工程", "市政公用工程", "建筑工程、机电工程"]),
        "employer_name": firm.name,
    }


def construction_permit(dice: Dice, at: int) -> Record:
    owner, builder = dice.firm("32"), dice.firm("32")
    return common(dice, f"{owner.division}2025演{at + 1:06d}", owner, owner.division) | {
        "project_code": f"2501-{owner.division}-04-01-{at + 1:06d}",
        "project_name": f"{owner.name.removesuffix('有限公司（演示）')}综合楼工程（演示）",
        "construction_unit": owner.name,
        "location": dice.address(owner.division),
        "scale": f"{dice.below(90_000) + 1000}平方米",
        "contract_price": (dice.below(20_000) + 100) * 1_000_000,
        "contractor_name": builder.name,
        "contractor_code": builder.code,
        "project_manager": dice.person("32").name,
        "contract_period": f"{dice.below(700) + 100}天",
    }


def _named(person: Person) -> Record:
    return {"name": person.name, "sex": person.sex, "birth_date": person.birth.isoformat()}


def _short_date(day: date) -> str:
    return f"{day.year}/{day.month}/{day.day}"


def _long_date(day: date) -> str:
    return f"{day.year}年{day.month}月{day.day}日"


@dataclass(frozen=True, slots=True)
class Shape:
    """How one file is written."""

    make: Callable[[Dice, int], Record]
    headings: str = "zh"
    encoding: str = "utf-8"
    delimiter: str = ","


SHAPES = {
    "business_licence": Shape(business_licence),
    "construction_permit": Shape(construction_permit),
    "constructor_certificate": Shape(constructor_certificate, headings="code"),
    "fire_safety_opinion": Shape(fire_safety_opinion),
    "food_business_licence": Shape(food_business_licence, encoding="gbk"),
    "housing_fund_decision": Shape(housing_fund_decision),
    "real_estate_title": Shape(real_estate_title, headings="name"),
    "remote_care_record": Shape(remote_care_record, delimiter=";"),
    "residence_permit": Shape(residence_permit),
    "resident_id_card": Shape(resident_id_card),
    "safety_officer_certificate": Shape(safety_officer_certificate, encoding="utf-8-sig"),
}


def records(type_id: str) -> list[Record]:
    """The rows of one file, bad ones included."""
    dice, make = Dice(type_id), SHAPES[type_id].make
    if type_id != "business_licence":
        return [make(dice, at) for at in range(OTHERS)]
    rows = [make(dice, at) for at in range(LICENCES + len(BAD_LINES))]
    wrong_check, impossible, nameless = (rows[line - 2] for line in BAD_LINES)
    code = str(wrong_check["holder_code"])
    code = code[:-1] + ("1" if code[-1] != "1" else "2")
    wrong_check |= {"holder_code": code, "unified_social_credit_code": code}
    impossible["establishment_date"] = "2021-02-30"
    nameless["enterprise_name"] = ""
    return rows


def csv_bytes(certificate_type: CertificateType, rows: list[Record], shape: Shape) -> bytes:
    fields = headings_of(certificate_type)
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=shape.delimiter, lineterminator="\n")
    writer.writerow([getattr(fields[name], shape.headings) for name in rows[0]])
    writer.writerows(row.values() for row in rows)
    return text.getvalue().encode(shape.encoding)


def json_bytes(rows: list[Record]) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def readme() -> str:
    lines = ", ".join(f"{line} ({rule})" for line, rule in BAD_LINES.items())
    return f"""# 样例 · Samples

每种证照一个文件，全部为虚构数据（演示）；由 `make samples` 生成，每次结果逐字节相同，请勿手工修改。
One file for each certificate type, all fictitious; written by `make samples`, always the same bytes: do not edit.

| 文件 file | 行 rows | 表头 headings | 编码 encoding |
|---|---|---|---|
{_table()}

- `business_licence.csv`：{LICENCES:,} 行正确，{len(BAD_LINES)} 行有错，行号与规则为 {lines}。
  {LICENCES:,} good rows and {len(BAD_LINES)} bad ones; the lines and rules are those above.
- 金额单位为分；日期可写 2026-01-31、2026/1/31、20260131、2026年1月31日；列表以 、 ; ； | 分隔。
  Amounts are in fen 分 (1 yuan = 100); dates in any of these four forms; lists are split at 、 ; ； or |.
- 发证机关由命令选项指定，不需要列。The issuer is an option of the command: no column is needed.
- `policy/`：杭州的资源目录、事项清单、负面清单与责任清单，供 `certledger policy import` 导入。
  Hangzhou's resource catalogue, matters, negative and responsibility list, for `certledger policy import`.
"""


def _table() -> str:
    words = {"zh": "中文", "code": "拼音 pinyin", "name": "snake_case"}
    return "\n".join(
        f"| `{file_name(type_id)}` | {LICENCES + len(BAD_LINES) if type_id == 'business_licence' else OTHERS:,} "
        f"| {words[shape.headings]} | {shape.encoding} |"
        for type_id, shape in SHAPES.items()
    )


def file_name(type_id: str) -> str:
    return f"{type_id}.{'jsonl' if SHAPES[type_id].headings == 'name' else 'csv'}"


def write(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    catalogue = load_catalogue()
    for type_id, shape in SHAPES.items():
        rows = records(type_id)
        lines = file_name(type_id).endswith(".jsonl")
        content = json_bytes(rows) if lines else csv_bytes(catalogue[type_id], rows, shape)
        (folder / file_name(type_id)).write_bytes(content)
    (folder / "README.md").write_text(readme(), encoding="utf-8")


if __name__ == "__main__":
    write(Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "samples")
