"""`python -m api.cli`: the command where no console script is installed."""

from api.cli.main import run

run()
