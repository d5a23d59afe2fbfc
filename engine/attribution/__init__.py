"""Who gets the credit for what people did."""
