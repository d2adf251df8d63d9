"""From a folder of music to a new encoder."""
