"""Events: what contacts did, recorded once each, with word to the inboxes in the same commit."""
