"""Who mail comes from: several senders with their own relays, signing keys, tracking domains and addresses."""
