"""Every column that leaves a city is explained in both languages; the font of reports is the known one."""

from __future__ import annotations

import tomllib
from hashlib import sha256
from importlib import resources
from pathlib import Path

import pytest

from api import dictionary
from api.messages import LANGUAGES, Words
from audit.store.copying import WITHHELD

FONT = "d45f67f0a7c0ca3f256950777ce6a61cc7ce5f9696d02900cbbaac25f8aa7d16"
COLUMNS = {f"{table.name}.{column.name}" for table in dictionary.tables() for column in table.c}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_column_is_explained_and_no_other(language: str) -> None:
    text = (resources.files("api.messages") / f"{language}.toml").read_text("utf-8")
    assert set(tomllib.loads(text)["columns"]) == COLUMNS
    assert {line[0] + "." + line[1] for line in dictionary.lines(language)} == COLUMNS


def test_what_is_said_about_reading_names_columns_that_exist() -> None:
    withheld = {f"{table}.{column}" for table, columns in WITHHELD.items() for column in columns}
    assert dictionary.SEALED | dictionary.CITY_ALONE | withheld <= COLUMNS
    said = {line[0] + "." + line[1]: line[2] for line in dictionary.lines("en")}
    words = Words("en")
    assert all(said[place] == words.say("readable.empty") for place in withheld)
    assert said["entry.sealed"] == words.say("readable.office")


def test_a_dictionary_is_written_in_each_language(tmp_path: Path) -> None:
    dictionary.write(tmp_path)
    for language in LANGUAGES:
        text = (tmp_path / f"dictionary.{language}.csv").read_text("utf-8-sig")
        assert len(text.splitlines()) == len(COLUMNS) + 1


def test_the_font_is_the_known_one_with_its_licence() -> None:
    fonts = resources.files("api.render") / "fonts"
    assert sha256((fonts / "NotoSansSC-Regular.ttf").read_bytes()).hexdigest() == FONT
    assert "SIL Open Font License" in (fonts / "LICENSE.txt").read_text("utf-8")
