"""The library as a map: what sounds alike lies together."""
