"""A content as one contact would get it: shown, checked, sent to colleagues. Nothing here is in the ledger."""
