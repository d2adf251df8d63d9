"""From the sound in the room to what could be played next."""
