"""Append-only Merkle logs and their anchors on the chain. Knows no certificate and no person."""
