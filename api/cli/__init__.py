"""The command line: nouns, then verbs. Results on stdout, words on stderr, exit codes as in docs/cli.md."""
