"""Keys, passwords, settings and folders: what is wrong is said with a code, and nothing is half done."""

from __future__ import annotations

import io
import shutil
import stat
from pathlib import Path

import pytest
from homes import MARKET, Home, licences

from api import passwords
from api.cli.main import main
from api.errors import ApiError
from api.wiring import CITY_KEY, City, agency_key
from ledger.errors import AppendRefused, ChainMismatch, EngineError, KeystoreError, StoreUnavailable


def settings_with(home: Home, **values: str) -> None:
    """Lines of the settings replaced; each value as TOML writes it."""
    path = home.folder / "certledger.toml"
    lines = path.read_text(encoding="utf-8").splitlines()
    kept = [line for line in lines if line.partition(" =")[0] not in values]
    added = [f"{name} = {value}" for name, value in values.items()]
    path.write_text("\n".join([*kept, *added]) + "\n", encoding="utf-8")


# -------------------------------------------------------------------- passwords


def test_a_wrong_password(home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text("not the password\n")
    settings_with(home, password_file=f'"{wrong}"')
    with City(home.folder) as city, pytest.raises(KeystoreError) as refused:
        _ = city.keystore
    assert refused.value.code == "KEYSTORE_PASSWORD"
    rows = licences(home.folder / "rows.csv", 2)
    size = home.size()
    code = main(
        ["cert", "issue", str(rows), "--type", "business_licence", "--agency", MARKET, "--home", str(home.folder)]
    )
    assert code == 3 and home.size() == size
    shown = capsys.readouterr()
    assert "KEYSTORE_PASSWORD" in shown.err and "Traceback" not in shown.err + shown.out
    assert "not the password" not in shown.err + shown.out


def test_the_password_from_the_environment(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    password = passwords.read(home.city.settings.password_file).decode()
    settings_with(home, password_file='""')
    monkeypatch.delenv(passwords.VARIABLE, raising=False)
    monkeypatch.setattr("sys.stdin", io.StringIO())
    with City(home.folder) as city, pytest.raises(ApiError) as missing:
        _ = city.keystore
    assert missing.value.code == "PASSWORD_MISSING"
    monkeypatch.setenv(passwords.VARIABLE, password)
    with City(home.folder) as city:
        assert city.keystore.has(agency_key(MARKET))


def test_a_password_file_that_is_gone(home: Home) -> None:
    settings_with(home, password_file=f'"{home.folder / "gone.txt"}"')
    with City(home.folder) as city, pytest.raises(ApiError) as refused:
        _ = city.keystore
    assert refused.value.code == "PASSWORD_FILE"


def test_production_refuses_the_password_file(home: Home) -> None:
    settings_with(home, production="true")
    with City(home.folder) as city, pytest.raises(ApiError) as refused:
        _ = city.keystore
    assert (refused.value.code, refused.value.params["what"]) == ("DEVELOPMENT_ONLY", "password_file")


def test_production_refuses_the_development_chain(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    from api import devchain

    monkeypatch.setenv(passwords.VARIABLE, passwords.read(home.city.settings.password_file).decode())
    settings_with(home, production="true", password_file='""')
    with City(home.folder) as city:
        assert city.keystore
        with pytest.raises(ApiError) as refused:
            devchain.start_inside(city)
    assert (refused.value.code, refused.value.params["what"]) == ("DEVELOPMENT_ONLY", "devnet")


def test_a_home_keeps_its_secrets_to_its_owner(founded: Path) -> None:
    """Names of files that may be read by nobody else."""
    assert stat.S_IMODE(founded.stat().st_mode) == 0o700
    for name in ("keystore.json", "password.txt"):
        assert stat.S_IMODE((founded / name).stat().st_mode) == 0o600, name


def test_no_secret_stands_anywhere_in_the_home_in_the_clear(home: Home) -> None:
    home.issued(3)
    home.publish()
    keystore = home.city.keystore
    secrets = [keystore.account_secret("publisher"), keystore.account_secret("governor"), keystore.mac_key("index")]
    password = passwords.read(home.city.settings.password_file)
    home.city.close()
    for path in home.folder.rglob("*"):
        if not path.is_file():
            continue
        content = path.read_bytes()
        assert not any(secret in content or secret.hex().encode() in content for secret in secrets), path
        assert password not in content or path.name == "password.txt"


def test_no_cell_of_a_row_stands_in_the_database_in_the_clear(home: Home) -> None:
    from homes import sample

    home.issued(20)
    home.publish()
    home.city.close()
    _, rows = sample()
    stored = b"".join(path.read_bytes() for path in home.folder.glob("*.sqlite*"))
    chain = b"".join(path.read_bytes() for path in (home.folder / "chain").rglob("*") if path.is_file())
    cells = {cell for row in rows[:20] for cell in (row[0], row[1], row[2], row[7 + 3]) if len(cell) > 5}
    assert len(cells) > 50
    for cell in cells:
        spelled = (cell.encode(), cell.encode("gb18030"), cell.encode().hex().encode())
        assert not any(form in stored or form in chain for form in spelled), cell


# --------------------------------------------------------------------- keystore


def test_a_keystore_of_another_city(home: Home, tmp_path: Path) -> None:
    """Entries sealed for a key that is not there: refused, not guessed at."""
    from ledger.keys.keystore import Keystore

    home.issued(2)
    home.publish()
    other = Keystore.create(tmp_path / "other.json", passwords.read(home.city.settings.password_file))
    other.generate((CITY_KEY, "aes-256-wrap"))
    shutil.copy(tmp_path / "other.json", home.folder / "keystore.json")
    home.reopen()
    (leaves,) = [line for line in home.check() if line.check == "leaves"]
    assert leaves.outcome == "wrong" and leaves.difference is not None
    assert leaves.difference.code == "ENTRY_ALTERED"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b'{"v":1}', b"\xff\xfe", b"null"])
def test_a_damaged_keystore(home: Home, content: bytes) -> None:
    (home.folder / "keystore.json").write_bytes(content)
    with City(home.folder) as city, pytest.raises(KeystoreError) as refused:
        _ = city.keystore
    assert refused.value.code == "KEYSTORE_DAMAGED"


def test_a_missing_keystore_is_never_made_anew(home: Home) -> None:
    (home.folder / "keystore.json").unlink()
    with City(home.folder) as city, pytest.raises(KeystoreError) as refused:
        _ = city.keystore
    assert refused.value.code == "KEYSTORE_UNREADABLE"
    assert not (home.folder / "keystore.json").exists()


# --------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "values",
    [
        {"city": "0"},
        {"city": '"one"'},
        {"division": "33"},
        {"consortium": '"00"'},
        {"consortium": f'"{"0" * 63}G"'},
        {"rpc_url": "5"},
        {"chain_id": "0"},
        {"gas_price": "-1"},
        {"confirmations": "-1"},
        {"status_uri": '"ftp://x"'},
        {"unheard_of": "1"},
        {"name": "["},
    ],
)
def test_invalid_settings(home: Home, values: dict[str, str], capsys: pytest.CaptureFixture[str]) -> None:
    settings_with(home, **values)
    with pytest.raises(ApiError) as refused:
        City(home.folder)
    assert refused.value.code == "SETTINGS_INVALID"
    assert main(["check", "--home", str(home.folder), "--lang", "en"]) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_settings_never_show_the_value_they_refuse(home: Home) -> None:
    settings_with(home, rpc_url='["http://user:verysecret@node"]')
    with pytest.raises(ApiError) as refused:
        City(home.folder)
    assert "verysecret" not in str(refused.value) and "verysecret" not in str(refused.value.params)


def test_the_environment_wins_over_the_file(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CERTLEDGER_NAME", "Elsewhere")
    with City(home.folder) as city:
        assert city.settings.name == "Elsewhere" and city.settings.city == 1


def test_no_city_in_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ApiError) as refused:
        City(tmp_path)
    assert refused.value.code == "HOME_MISSING"


# ----------------------------------------------------------------------- folders


def test_a_home_that_cannot_be_a_folder(tmp_path: Path) -> None:
    """Below a file: permissions do not bind an administrator, this does."""
    from api.initialise import initialise

    (tmp_path / "file").touch()
    with pytest.raises(ApiError) as refused:
        initialise(tmp_path / "file" / "home", city=1, division=330100, name="x", start_chain=lambda _: None)
    assert refused.value.code == "HOME_UNWRITABLE"


def test_a_database_that_cannot_be_written(home: Home) -> None:
    """The file is there and readable, its journal cannot be: nothing is acknowledged."""
    home.issued(2)
    home.publish()
    home.city.close()
    database = home.folder / "ledger.sqlite"
    settings_with(home, database_url=f'"sqlite:///file:{database}?mode=ro&uri=true"')
    city = home.reopen()
    assert len(home.certificates()) == 2
    with pytest.raises(StoreUnavailable):
        home.issue(licences(home.folder / "more.csv", 1, start=9))
    city.close()


def test_a_guard_that_cannot_be_written(home: Home) -> None:
    home.issued(2)
    home.city.close()
    (home.folder / "guard.sqlite").unlink()
    (home.folder / "guard.sqlite").mkdir()
    home.reopen()
    with pytest.raises((StoreUnavailable, AppendRefused)):
        home.issue(licences(home.folder / "more.csv", 1, start=9))
    assert home.size() == 2


def test_a_database_of_another_version(home: Home) -> None:
    home.city.close()
    home.edit("UPDATE alembic_version SET version_num = '9999'")
    with City(home.folder) as city, pytest.raises(ApiError) as refused:
        _ = city.database
    assert refused.value.code == "DATABASE_NOT_MIGRATED"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"chain_id":1}'])
def test_a_damaged_deployment_file(home: Home, content: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    (home.folder / "deployment.json").write_bytes(content)
    assert main(["anchor", "submit", "--home", str(home.folder)]) in (1, 3)
    assert "INTERNAL" not in capsys.readouterr().err
    assert main(["check", "--home", str(home.folder), "--json"]) == 1


def test_the_deployment_file_of_another_ledger(home: Home) -> None:
    path = home.folder / "deployment.json"
    text = path.read_text().replace(home.city.settings.consortium, "00" * 32)
    path.write_text(text)
    with City(home.folder) as city, pytest.raises(ChainMismatch) as refused:
        _ = city.chain
    assert refused.value.code == "CHAIN_CONSORTIUM"


def test_a_second_chain_in_one_folder(home: Home) -> None:
    from api import devchain

    with City(home.folder) as city, pytest.raises(EngineError) as refused:
        devchain.start_inside(city)
    assert refused.value.code == "FOLDER_IN_USE"


def test_a_port_that_is_taken(home: Home, founded: Path, tmp_path: Path) -> None:
    from api import devchain

    folder = Path(shutil.copytree(founded, tmp_path / "other"))
    with City(folder) as city, pytest.raises(EngineError) as refused:
        devchain.start_inside(city, home.chain.port)
    assert refused.value.code == "PORT_TAKEN"
