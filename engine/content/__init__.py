"""Contents: what an author writes, checked and compiled once per version."""
