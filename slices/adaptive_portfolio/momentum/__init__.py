"""Past winners: their scores, the choice among them, and what the score tells about returns."""
