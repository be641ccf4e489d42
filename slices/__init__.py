"""The building blocks: shared words (domain), mathematics (quant), runtime, and eleven slices."""
