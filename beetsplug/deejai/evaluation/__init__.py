"""How well an encoder hears, in numbers."""
