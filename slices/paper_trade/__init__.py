"""Play money: a simulated exchange over the ledger, priced by the engine of the backtests."""
