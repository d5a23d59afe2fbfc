"""SMS: gateways that take texts, their receipts, and what people text back."""
