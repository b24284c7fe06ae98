"""The application store's migrations: how a store of any age becomes what ``serving.stores.store.METADATA`` says.

A new one is the next number in ``versions``; it is never changed once it is out. ``serving.stores.schema`` runs them.
"""
