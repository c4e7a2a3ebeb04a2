"""What the distribution installs, what a reader of the repository finds, and what no file of it may hold."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import distribution, packages_distributions
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = {"ledger", "audit", "certs", "api"}
TOP = {
    *("README.md", "README.zh-CN.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md"),
    *("Makefile", "pyproject.toml", "package.json", "package-lock.json", ".npmrc", ".gitignore"),
}
GENERATED = {
    *(".git", ".venv", "node_modules", "__pycache__", "demo-run", ".hypothesis", ".pytest_cache", ".mypy_cache"),
    *(".ruff_cache", ".import_linter_cache", "out", "cache", "broadcast"),
}
HOSTS = tuple(
    ".".join(parts)
    for parts in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("npmmirror", "com"),
        ("proxy", "golang", "org"),
    )
)
"""Put together here, so that this file does not name them either."""
OPTIONS = ("--index-url", "--extra-index-url", "--find-links", "--trusted-host", "--registry", '"resolved":')


def files() -> Iterator[Path]:
    """Every file that could be committed; without git, which a user need not have."""
    waiting = [ROOT]
    while waiting:
        for path in waiting.pop().iterdir():
            if path.name in GENERATED or path.name.endswith(".egg-info"):
                continue
            if path.is_dir() and not path.is_symlink():
                waiting.append(path)
            elif path.is_file():
                yield path


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    """The paths in the wheel that the project builds."""
    folder = tmp_path_factory.mktemp("wheel")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder], cwd=ROOT, check=True)
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        return set(archive.namelist())


def test_the_distribution_installs_exactly_four_packages(wheel: set[str]) -> None:
    tops = {path.split("/")[0] for path in wheel}
    assert {top for top in tops if not top.endswith(".dist-info")} == PACKAGES
    assert {top for top in tops if top.endswith(".dist-info")} == {f"certledger-{project()['version']}.dist-info"}


def test_everything_a_package_reads_travels_with_it(wheel: set[str]) -> None:
    for package in PACKAGES:
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.relative_to(ROOT).as_posix() in wheel
    assert not any(path.startswith(("tests/", "docs/", "samples/", "scripts/")) for path in wheel)


def test_nobody_else_owns_these_names() -> None:
    """A name that another distribution installs too would silently be whichever came last."""
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, [])) <= {"certledger"}, owners[package]
    assert distribution("certledger").version == project()["version"]


def test_the_command_is_installed_and_the_distribution_is_private() -> None:
    assert {entry.name: entry.value for entry in distribution("certledger").entry_points} == project()["scripts"]
    assert list(project()["scripts"]) == ["certledger"]
    assert "Private :: Do Not Upload" in project()["classifiers"]


def project() -> dict[str, Any]:
    return dict(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"])


@pytest.mark.parametrize("name", sorted(TOP))
def test_a_reader_finds(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0


def test_the_licence_is_the_one_that_is_named() -> None:
    assert project()["license"] == "Apache-2.0"
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text and "Version 2.0, January 2004" in text and len(text) > 10_000


def test_the_folders_are_the_customers_names() -> None:
    found = {path.name for path in ROOT.iterdir() if path.is_dir() and path.name not in GENERATED}
    wanted = {"contracts", "hardhat-free-devnet", "scripts", "samples", "tests", "docs", "requirements", ".ci"}
    assert found - PACKAGES <= wanted | {name for name in found if name.startswith(".")}
    assert found >= PACKAGES | wanted


def test_no_file_names_a_registry() -> None:
    named = []
    for path in files():
        text = path.read_bytes()
        named += [f"{path.relative_to(ROOT)}: {host}" for host in HOSTS if host.encode() in text]
    assert named == []


def test_no_lock_holds_an_address() -> None:
    locks = [*(ROOT / "requirements").glob("*"), ROOT / "package-lock.json"]
    assert len(locks) >= 4
    for path in locks:
        text = path.read_text("utf-8")
        assert "://" not in strip_funding(path, text), path
        assert not [option for option in OPTIONS if option in text], path


def strip_funding(path: Path, text: str) -> str:
    """npm copies the packages' own funding pages into its lock; they are no registry."""
    if path.name != "package-lock.json":
        return text
    lock = json.loads(text)
    for package in lock["packages"].values():
        package.pop("funding", None)
    return json.dumps(lock)


def test_every_locked_package_is_pinned_by_hash() -> None:
    for path in (ROOT / "requirements").glob("*.txt"):
        blocks = [block for block in path.read_text("utf-8").replace("\\\n", " ").splitlines() if block.strip()]
        assert blocks and all("==" in block and "--hash=sha256:" in block for block in blocks), path
    lock = json.loads((ROOT / "package-lock.json").read_text("utf-8"))
    assert all("integrity" in package for name, package in lock["packages"].items() if name)


def test_no_file_names_a_place_of_this_machine() -> None:
    """Documentation and code speak of the user's machine, not of the one they were written on."""
    # A place of one part, such as /src, is no place but a word.
    places = [f"{place}/" for place in (Path.home(), ROOT) if len(place.parts) > 2 or place.name == "root"]
    named = []
    for path in files():
        text = path.read_bytes()
        named += [f"{path.relative_to(ROOT)}: {place}" for place in places if place.encode() in text]
    assert named == []


def test_modules_of_the_tests_have_names_of_their_own() -> None:
    """pytest imports them by their bare names: two of one name, and the second is the first."""
    names = [path.name for path in (ROOT / "tests").rglob("*.py")]
    # One a folder is what these two are for; __init__ is imported by its package's name.
    twice = {name for name in names if names.count(name) > 1} - {"conftest.py", "sitecustomize.py", "__init__.py"}
    assert not twice
