"""What became of a symbol after a session: the words a model learns, and until when they reach."""
