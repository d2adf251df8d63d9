"""What the filters of an encoder hear, layer by layer."""
