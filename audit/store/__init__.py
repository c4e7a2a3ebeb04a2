"""What a city keeps beside its logs to decide, to search and to open: derived from the logs, or sealed."""
