"""Between agencies and cities: what of a certificate goes out, to whom, and that it stands recorded before it does.

This package imports the rest of certs; of the rest only what hands a certificate out imports `disclosure`.
"""
