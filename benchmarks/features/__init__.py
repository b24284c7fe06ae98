"""The feature engine beside its peers: the same columns, of the same tables, checked equal."""
