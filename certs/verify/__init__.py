"""Is this certificate genuine, did its issuer have the right, does it hold now? One module a step."""
