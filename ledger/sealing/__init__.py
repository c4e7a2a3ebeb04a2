"""Sealing: every stored content is encrypted from the first row on.

One fresh data key per content (AES-256-GCM), wrapped once per recipient; the content is bound to the list of
recipients. Erasing is destroying the recipients' keys. `seal` and `open` are modules of their own so
that an import rule can say who may open.
"""
