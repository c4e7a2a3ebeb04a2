# mypy: ignore-errors
"""PyPI cert-issuer, run in an environment of its own: a batch validated, normalised (JSON-LD), hashed, proven.

Reads numbers of certificates, one a line; answers each with "<certificates> <seconds>". The first line it writes names
its versions. Neither signature nor chain: the transaction id is made up.
"""

from __future__ import annotations

import logging
import sys
import time
from importlib import metadata
from types import SimpleNamespace

logging.disable(logging.CRITICAL)

from cert_core import Chain  # noqa: E402
from cert_issuer import config  # noqa: E402
from cert_issuer.certificate_handlers import CertificateBatchWebHandler, CertificateWebV3Handler  # noqa: E402
from cert_issuer.merkle_tree_generator import MerkleTreeGenerator  # noqa: E402

CONFIG = SimpleNamespace(
    issuing_address="0x0",
    verification_method="https://city.invalid/issuer.json#key",
    chain=Chain.ethereum_ropsten,
    context_urls=None,
    context_file_paths=None,
    multiple_proofs="concurrent",
    issuance_timezone="UTC",
)
config.CONFIG = CONFIG  # otherwise it reads our arguments


def certificate(number: int) -> dict[str, object]:
    return {
        "@context": [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/blockcerts/v3",
            {"attribute": "https://city.invalid/attribute", "values": "https://city.invalid/values"},
        ],
        "id": f"urn:uuid:bbba8553-8ec1-445f-82c9-a57251{number:06d}",
        "type": ["VerifiableCredential", "BlockcertsCredential"],
        "issuer": "https://city.invalid/issuer.json",
        "issuanceDate": "2026-01-01T00:00:00Z",
        "credentialSubject": {
            "id": f"did:example:{number}",
            "values": [f"一个有代表性的值 {i}" for i in range(10)],
        },
    }


def batch(size: int) -> None:
    handler = CertificateBatchWebHandler(
        secret_manager=None,
        certificate_handler=CertificateWebV3Handler(CONFIG),
        merkle_tree=MerkleTreeGenerator(),
        config=CONFIG,
    )
    handler.set_certificates_in_batch([certificate(number) for number in range(size)])
    handler.prepare_batch()
    handler.finish_batch("0x" + "00" * 32, Chain.ethereum_ropsten)


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main() -> None:
    versions = " ".join(f"{name} {metadata.version(name)}" for name in ("cert-issuer", "cert-schema"))
    say(versions)
    for line in sys.stdin:
        size = int(line)
        started = time.perf_counter()
        batch(size)
        say(f"{size} {time.perf_counter() - started}")


main()
