"""The demonstration's people and agencies: synthetic, from demo.yaml."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from importlib import resources
from typing import Any, TypedDict

import yaml


@dataclass(frozen=True, slots=True)
class DemoCity:
    number: int
    home: str
    """Name of its folder."""
    division: int
    name: str
    name_en: str

    @property
    def who(self) -> Who:
        return {"city": self.number, "division": self.division, "name": self.name}


class Who(TypedDict):
    """What a city is founded by."""

    city: int
    division: int
    name: str


@dataclass(frozen=True, slots=True)
class DemoAgency:
    city: str
    """Letter of its city."""
    code: str
    name: str
    name_en: str


@lru_cache(maxsize=1)
def _world() -> Any:
    return yaml.safe_load((resources.files("api.demo") / "demo.yaml").read_text(encoding="utf-8"))


def city(letter: str) -> DemoCity:
    row = _world()["cities"][letter]
    return DemoCity(row["number"], row["home"], int(row["division"]), row["name"], row["name_en"])


def agency(key: str) -> DemoAgency:
    row = _world()["agencies"][key]
    return DemoAgency(row["city"], row["code"], row["name"], row["name_en"])


def types_of(key: str) -> list[str]:
    """Ids of the types an agency is accredited for."""
    return [type_id for type_id, agencies in _world()["issuers"].items() if key in agencies]
