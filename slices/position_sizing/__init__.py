"""How much: sizes from volatility, risk budget and estimated edge, with what limited them."""
