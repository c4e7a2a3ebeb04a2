"""Vectors and programs that others wrote agree with the logs, the contract, the certificates and the identifiers.

Small and apart from the unit tests: nothing of theirs is imported.
"""

from __future__ import annotations

import json
import sqlite3
from base64 import b64decode
from collections.abc import Iterator
from contextlib import closing
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import prepared_city as homes
import pytest
import vectors
from command_line import certledger, rpc
from evidence import Shown
from prepared_city import IDENTITY, POLICE, POLICE_NAME, Home

from ledger import merkle
from ledger.errors import LedgerError

REAL = (
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.001.U",
    "1.2.156.3005.2.11100000000013338W011.11430000006122244L.20230000403.002.S",
    "1.2.156.3005.2.11100000000013338W009.11330105002500287C.2025052201.002.0",
    "1.2.156.3005.2.11100000000013338W032.11220000013544541J.2430599.001.F",
)
WRONG_VARIANT = "1.2.156.3005.2.11100000000013661B006.113700000045046442.209FA4E88F9E4C878F3E9BED2CE7EA49.001.M"
ELEVEN_BYTES = "merkle/consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"
"""Good for its authors, whose roots may be any bytes: its roots are 11 bytes of text, no hash."""


def merkle_vectors(kind: str) -> Iterator[tuple[str, dict[str, Any], bool]]:
    """(name, vector with its hashes as bytes, whether it must verify)."""
    for path in vectors.files(f"merkle/{kind}/**/*.json"):
        vector = vectors.load(path)
        for name in ("root", "leafHash", "root1", "root2"):
            if name in vector:
                vector[name] = b64decode(vector[name] or "")
        vector["proof"] = [b64decode(part) for part in vector["proof"] or ()]
        yield vectors.name(path), vector, not vector["wantErr"] and vectors.name(path) != ELEVEN_BYTES


def holds(kind: str, v: dict[str, Any]) -> bool:
    """What our own code says of a vector."""
    try:
        if kind == "inclusion":
            where = {"index": v["leafIdx"], "size": v["treeSize"], "leaf_hash": v["leafHash"]}
            merkle.verify_inclusion(**where, proof=v["proof"], root=v["root"])
        else:
            sizes = {"size1": v["size1"], "size2": v["size2"]}
            merkle.verify_consistency(**sizes, root1=v["root1"], root2=v["root2"], proof=v["proof"])
    except LedgerError:
        return False
    return True


def view_call(kind: str, v: dict[str, Any]) -> bytes | None:
    """The call of the contract's view; None if a hash is not 32 bytes long, which no bytes32 can carry."""
    from ledger.evm.contracts.codec import codec

    names = ("leafHash", "root") if kind == "inclusion" else ("root1", "root2")
    if any(len(part) != 32 for part in (*(v[name] for name in names), *v["proof"])):
        return None
    if kind == "inclusion":
        arguments = (v["leafHash"], v["leafIdx"], v["treeSize"], v["proof"], v["root"])
        return codec("LogAnchor").encode("verifyInclusion", *arguments)
    return codec("LogAnchor").encode("verifyConsistency", v["size1"], v["size2"], v["root1"], v["root2"], v["proof"])


@vectors.needed
@pytest.mark.parametrize(("kind", "count"), [("inclusion", 65), ("consistency", 57)])
def test_merkle_vectors_in_python_and_against_the_contract(city: Home, kind: str, count: int, shown: Shown) -> None:
    url, to = city.url, city.address("log_anchor")
    disagree, told, good = [], 0, 0
    for name, vector, valid in merkle_vectors(kind):
        good += valid
        if holds(kind, vector) is not valid:
            disagree.append(f"Python {name}")
        call = view_call(kind, vector)
        if call is None:
            assert not valid, name
            continue
        told += 1
        answer = rpc(url, "eth_call", {"to": to, "data": "0x" + call.hex()}, "latest")
        if bool(int(answer, 16)) is not valid:
            disagree.append(f"Solidity {name}")
    total = sum(1 for _ in merkle_vectors(kind))
    shown(
        f"merkle {kind} vectors", f"{total} in Python, {told} in Solidity ({good} good), disagreeing: {len(disagree)}"
    )
    assert (total, disagree) == (count, []) and good and told > 30


@vectors.needed
def test_jcs_vectors(shown: Shown) -> None:
    import rfc8785

    from ledger import canonical

    outcome: dict[str, str] = {}
    for path in vectors.files("jcs/input/*.json"):
        wanted = (path.parents[1] / "output" / path.name).read_bytes()
        assert rfc8785.dumps(json.loads(path.read_bytes())) == wanted
        try:
            made = canonical.dumps(canonical.loads(path.read_bytes(), max_bytes=4096))
            outcome[path.name] = "equal" if made == wanted else "differs"
        except LedgerError as error:
            outcome[path.name] = error.code
    shown("JCS vectors", ", ".join(f"{name} {said}" for name, said in sorted(outcome.items())))
    # What our strict form forbids: numbers with a fraction, and strings that are not in NFC.
    assert set(outcome.values()) == {"equal", "JSON_FLOAT", "JSON_NOT_NFC"} and len(outcome) == 6


@vectors.needed
def test_wycheproof(shown: Shown) -> None:
    from ledger import jws

    counted = {"valid": 0, "invalid": 0}
    file = vectors.VECTORS / "wycheproof" / "ecdsa_secp256r1_sha256_p1363_test.json"
    for group in vectors.load(file)["testGroups"]:
        x, y = (int(group["publicKey"][name], 16).to_bytes(32, "big") for name in ("wx", "wy"))
        for test in group["tests"]:
            try:
                jws.verify_es256(bytes.fromhex(test["sig"]), bytes.fromhex(test["msg"]), x=x, y=y)
                verdict = "valid"
            except LedgerError:
                verdict = "invalid"
            assert verdict == test["result"], test["comment"]
            counted[verdict] += 1
    shown("Wycheproof ES256", f"{counted['valid']} valid, {counted['invalid']} invalid, 0 judged otherwise")
    assert sum(counted.values()) == vectors.load(file)["numberOfTests"]


@vectors.needed
def test_published_sd_jwt_cases(shown: Shown) -> None:
    """Issued and presented by PyPI's sd-jwt, read here; JSON numbers with a fraction are refused by name."""
    from jwcrypto.jwk import JWK
    from sd_jwt.holder import SDJWTHolder
    from sd_jwt.issuer import SDJWTIssuer
    from sd_jwt.utils.yaml_specification import load_yaml_specification

    from certs import sdjwt

    key = JWK.generate(kty="EC", crv="P-256")
    read: dict[str, str] = {}
    for path in vectors.files("sd-jwt/*/specification.yml"):
        case = load_yaml_specification(path)
        header = {"typ": sdjwt.TYP, "kid": key.thumbprint()}
        issued = SDJWTIssuer(case["user_claims"], key, extra_header_parameters=header)
        holder = SDJWTHolder(issued.sd_jwt_issuance)
        holder.create_presentation(case["holder_disclosed_claims"])
        try:
            claims: Any = sdjwt.disclosed(sdjwt.parse(holder.sd_jwt_presentation))
        except LedgerError as error:
            read[path.parent.name] = error.code
            continue
        equal = json.dumps(claims, sort_keys=True) == json.dumps(case["expect_verified_user_claims"], sort_keys=True)
        read[path.parent.name] = "equal" if equal else "differs"
    shown("SD-JWT cases", f"{len(read)}: " + ", ".join(f"{name} {said}" for name, said in sorted(read.items())))
    refused = {name for name, said in read.items() if said == "JSON_FLOAT"}
    assert len(read) == 8 and refused == {"array_data_types", "object_data_types"}
    assert {read[name] for name in read.keys() - refused} == {"equal"}


def test_certificates_that_the_command_issued_verify_in_pypi_sd_jwt(city: Home, genuine: Path, shown: Shown) -> None:
    from jwcrypto.jwk import JWK
    from sd_jwt.verifier import SDJWTVerifier

    bundles = [genuine, *city.export(*city.identifiers(5)[1:])]
    for path in bundles:
        bundle = json.loads(path.read_text())
        key = JWK(**bundle["key"])
        payload = SDJWTVerifier(bundle["presentation"], lambda *_, key=key: key).get_verified_payload()
        ours = certledger("verify", path, "--trust", city.trust, "--offline", "--json").json["claims"]
        payload.pop("_sd_alg", None)
        ours.pop("_sd_alg", None)
        assert payload == ours
        header = json.loads(b64decode(bundle["presentation"].split(".")[0] + "=="))
        assert header == {"alg": "ES256", "kid": key.thumbprint(), "typ": "dc+sd-jwt"}
    shown("issued by the command, verified by PyPI sd-jwt", f"{len(bundles)} of {len(bundles)}, equal claims")


def test_the_logs_root_equals_pymerkle_over_the_same_leaves(city: Home, shown: Shown) -> None:
    """Leaf data made anew from salt and statement: hashlib, PyPI rfc8785; the tree by PyPI pymerkle."""
    import rfc8785
    from pymerkle import InmemoryTree

    from ledger.evm.contracts.codec import codec

    city.run("anchor", "submit")
    tree = InmemoryTree(algorithm="sha256")
    for salt, statement in opened(city):
        assert rfc8785.dumps(json.loads(statement)) == statement
        tree.append_entry(sha256(b"certledger/v1\x00\x43" + salt + statement).digest())
    with closing(sqlite3.connect(city.path / "ledger.sqlite")) as database:
        size, root, log = database.execute("SELECT size, root, log_id FROM log WHERE stream = 'certificate'").fetchone()
    assert (tree.get_size(), tree.get_root(size)) == (size, root) and size >= homes.FIRST_ROWS
    call = {"to": city.address("log_anchor"), "data": "0x" + codec("LogAnchor").encode("head", log).hex()}
    answer = bytes.fromhex(rpc(city.url, "eth_call", call, "latest")[2:])
    assert (int.from_bytes(answer[:32], "big"), answer[32:64]) == (size, root)
    shown("the log's root, PyPI pymerkle's and the chain's", f"{root.hex()} at {size} entries, all three")


def opened(city: Home) -> list[tuple[bytes, bytes]]:
    """(salt, statement bytes) of every entry: decrypting is the product's, nothing after it."""
    from api.wiring import CITY_KEY, City
    from ledger import entries
    from ledger.sealing.open import open_sealed

    with City(city.path) as product, closing(sqlite3.connect(city.path / "ledger.sqlite")) as database:
        key = product.keystore.wrapper(CITY_KEY)
        no, log = database.execute("SELECT no, log_id FROM log WHERE stream = 'certificate'").fetchone()
        rows = database.execute("SELECT idx, sealed FROM entry WHERE log_no = ? ORDER BY idx", (no,)).fetchall()
        plain = [open_sealed(sealed, context=entries.context(log, index), key=key) for index, sealed in rows]
    return [(content[:32], content[32:]) for content in plain]


def test_real_identifiers_and_the_wrong_variant(shown: Shown) -> None:
    from certs.identifier import parse

    for text in REAL:
        assert (parse(text).variant, str(parse(text))) == ("standard", text)
    wrong = parse(WRONG_VARIANT)
    assert wrong.variant == "wrong_letters_from_11" and wrong.notes
    shown("real identifiers", f"{len(REAL)} parse; the wrong variant is named: {', '.join(wrong.notes)}")


def test_people_born_before_their_district_are_issued_cards(city: Home, tmp_path: Path, shown: Shown) -> None:
    """Years 1945 to 1980 under division codes of today; the library that demands otherwise is shown beside it."""
    from stdnum.cn import ric
    from stdnum.iso7064 import mod_11_2

    header, first, *_ = homes.table(homes.IDENTITIES)
    rows = []
    for number, year in enumerate(range(1945, 1981)):
        division = ("330113", "330114", "330106", "330110", "330112")[number % 5]
        stem = f"{division}{date(year, 1 + number % 12, 1 + number % 28):%Y%m%d}99{6 + number % 4}"
        code = stem + mod_11_2.calc_check_digit(stem)
        cells = {"证照编号": code, "持证主体代码": code, "公民身份号码": code, "行政区划": division}
        rows.append(homes.changed(first, header, **cells, 出生日期=f"{year}-{1 + number % 12}-{1 + number % 28}"))
    file = homes.write(tmp_path / "born-early.csv", [header, *rows])
    report = city.issue(file, "--no-anchor", "--json", agency=POLICE, kind=IDENTITY).json
    refused = sum(not known_to(ric, row[2]) for row in rows)
    shown(
        "holders born 1945–1980 with today's division codes",
        f"{report['issued']} of {len(rows)} issued by {POLICE_NAME}; stdnum.cn.ric would not take {refused}",
    )
    assert report["issued"] == len(rows) == 36 and refused > 0


def known_to(ric: Any, code: str) -> bool:
    """Whether the library takes it; for districts founded after its table it fails altogether."""
    try:
        return bool(ric.is_valid(code))
    except KeyError:
        return False
