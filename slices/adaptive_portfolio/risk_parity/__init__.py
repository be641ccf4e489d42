"""Equal risk: weights, the proof that risk is equal, and how equal it stayed."""
