"""Ways out of Cairn: the interface that every provider has, SMTP, and the local phone."""
