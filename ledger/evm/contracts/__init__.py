"""One class per contract: encodes its calls, decodes its answers. The compiled artifacts are package data."""
