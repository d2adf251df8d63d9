"""Which tracks to play: pure functions of unit vectors and row numbers."""
