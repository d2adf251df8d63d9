"""Which tracks are versions of one recording."""
