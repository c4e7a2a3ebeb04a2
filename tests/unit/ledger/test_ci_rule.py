"""tests/conftest.py and tests/unit/conftest.py keep their promises, shown by running pytest on small files."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import vectors

LEFT_OUT = {
    "skip": "import pytest\ndef test_x(): pytest.skip('no reason')",
    "skipif": "import pytest\n@pytest.mark.skipif(True, reason='r')\ndef test_x(): pass",
    "xfail": "import pytest\n@pytest.mark.xfail\ndef test_x(): assert False",
    "xpass": "import pytest\n@pytest.mark.xfail(strict=False)\ndef test_x(): pass",
    "module": "import pytest\npytest.skip('r', allow_module_level=True)",
    "importorskip": "import pytest\npytest.importorskip('no_such_module')",
    "no_parameters": "import pytest\n@pytest.mark.parametrize('x', [])\ndef test_x(x): pass",
    "vectors_absent": "import vectors\n@vectors.needed\ndef test_x(): pass",
}


def run(folder: Path, test: str, *, ci: bool) -> subprocess.CompletedProcess[str]:
    """pytest on one file beside copies of conftest.py and vectors.py, where no vectors lie next to them."""
    tests = folder / "root" / "tests"
    tests.mkdir(parents=True)
    for file in ("conftest.py", "vectors.py"):
        shutil.copy(vectors.ROOT / "tests" / file, tests / file)
    (tests / "test_one.py").write_text(test)
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | ({"CI": "true"} if ci else {})
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-c", os.devnull, str(tests)]
    return subprocess.run(command, env=environment, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("kind", LEFT_OUT)
def test_with_ci_set_what_is_left_out_fails_the_run(kind: str, tmp_path: Path) -> None:
    finished = run(tmp_path, LEFT_OUT[kind], ci=True)
    assert finished.returncode in (1, 2), finished.stdout + finished.stderr
    assert "nothing may be skipped" in finished.stdout


def test_without_ci_absent_vectors_are_skipped(tmp_path: Path) -> None:
    finished = run(tmp_path, LEFT_OUT["vectors_absent"], ci=False)
    assert finished.returncode == 0 and "1 skipped" in finished.stdout, finished.stdout + finished.stderr


def test_with_ci_set_a_passing_test_passes(tmp_path: Path) -> None:
    assert run(tmp_path, "def test_x(): pass", ci=True).returncode == 0


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_unit_tests_cannot_open_a_socket(family: socket.AddressFamily) -> None:
    with pytest.raises((RuntimeError, UserWarning), match=r"socket\.socket"):
        socket.socket(family)
