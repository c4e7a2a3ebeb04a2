"""`certledger bench`: how fast, measured beside the peers of the field in the same run, as ratios."""
