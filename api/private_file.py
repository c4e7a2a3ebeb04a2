"""Files that show something of a person: for the owner of the file alone, whole or not at all."""

from __future__ import annotations

from pathlib import Path

from api.errors import ApiError


def write(path: Path, content: bytes) -> None:
    """Raises `ApiError` FILE_UNWRITABLE."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.unlink(missing_ok=True)
        beside.touch(mode=0o600)
        beside.write_bytes(content)
        # Crash file/written: beside the old one, which a refresh must not lose.
        beside.replace(path)
    except OSError as error:
        raise ApiError("FILE_UNWRITABLE", f"{path}: {error.strerror}", path=path, reason=error.strerror) from None
