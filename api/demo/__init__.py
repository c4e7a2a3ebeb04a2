"""The demonstration: the walk of one certificate, everything real, everything made anew at each run."""
