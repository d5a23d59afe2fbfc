"""Who is where in which journey: events and changes in, batches of people forward."""
