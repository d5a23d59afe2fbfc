"""What comes back about messages after they were handed over.

Doors (`store` for receipts of programs, `mail.put` for mail) write down what came and answer; the job `receipts` reads
mail (`mail.process`) and writes effects (`settle`), so that a receipt may come late, twice or out of order.
"""
