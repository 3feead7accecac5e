"""Which labels are suspected to be wrong, and what follows if they are."""
