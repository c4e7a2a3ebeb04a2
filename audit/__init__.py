"""Authorizations and accesses: who may, who did, prove it. Built on the logs of `ledger`; knows no certificate.

What is here is the pure core: values and rules. Clock, salts, keys, facts of the chain and rows of a database are
handed in; nothing here stores, sends or asks.
"""
