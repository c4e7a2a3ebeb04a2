"""Put on PYTHONPATH of a command: Python runs this before anything else. What the variables mean: `steps`."""

import os

import steps

if any(os.environ.get(variable) for variable in steps.ACTS):
    steps.live()
if os.environ.get("TOLD"):
    steps.tell(os.environ["TOLD"])
