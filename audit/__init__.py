"""Authorizations and accesses: who may, who did, prove it. Built on the logs of `ledger`; knows no certificate.

Nothing is here yet: the layer has its place so that imports point down from the first day.
"""
