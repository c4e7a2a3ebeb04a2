"""Sealing: every stored content is encrypted from the first row on.

One fresh data key per content (AES-256-GCM), wrapped once per recipient. A new recipient is one more wrapped key
and migrates nothing; erasing is forgetting a recipient's key. `seal` and `open` are modules of their own so
that an import rule can say who may open.
"""
