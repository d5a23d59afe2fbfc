"""Reports: counters beside the ledger, and what is read from them."""
