"""Whether a champion still sees what it was trained on, and still says what comes true."""
