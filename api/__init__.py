"""The outside: command line, wiring, words in two languages. The only package that knows all the others."""
