"""Where the keystore's password comes from: a file, the environment, or a prompt. Never the command line."""

from __future__ import annotations

import getpass
import os
import secrets
import sys
from pathlib import Path

from api.errors import ApiError

VARIABLE = "CERTLEDGER_PASSWORD"
_LIMIT = 1024


def read(file: str) -> bytes:
    """The password of `file` if one is named, else of the environment, else asked for at a terminal."""
    if file:
        return _from_file(Path(file))
    if VARIABLE in os.environ:
        return os.environ[VARIABLE].encode()
    if sys.stdin.isatty():
        return getpass.getpass("keystore password 密钥库口令: ").encode()
    raise ApiError("PASSWORD_MISSING", "no password file, no variable, and nobody to ask")


def write_new(path: Path) -> None:
    """A random password in a file only the owner reads: for development, where the keys protect nothing."""
    beside = path.with_name(path.name + ".new")
    beside.unlink(missing_ok=True)
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        # Crash init/password-open: an empty file beside, made anew; under its name it would be no password for ever.
        file.write(secrets.token_urlsafe(24) + "\n")
    beside.replace(path)


def _from_file(path: Path) -> bytes:
    try:
        content = path.read_bytes()[:_LIMIT]
    except OSError as error:
        raise ApiError("PASSWORD_FILE", f"{path}: {error.strerror}", path=path, reason=error.strerror) from None
    return content.strip(b"\r\n")
