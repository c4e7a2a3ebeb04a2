"""Call names and answers of other systems, mapped from ours and back. Pure: routes are elsewhere."""
