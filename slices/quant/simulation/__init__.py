"""The market's simulation: decisions at a close, fills at the next session, costs, a ledger."""
