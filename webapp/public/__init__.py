"""What contacts reach without signing in: pixels, links, unsubscribing. Answered natively, in front of Flask."""
