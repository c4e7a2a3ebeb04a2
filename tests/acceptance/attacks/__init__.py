"""Attacks: each a small program against the real parts, run on the product and on the product without its defence."""
