"""Features: what is known of a symbol at a close, as declared expressions."""
