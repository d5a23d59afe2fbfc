"""What people and machines do with messages: raw hits, their classes, and the events that follow from them."""
