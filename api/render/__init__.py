"""Paper and pages: values and words in, bytes out."""
