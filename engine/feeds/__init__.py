"""Product feeds: lists of what a shop sells, fetched and kept, for blocks in contents."""
