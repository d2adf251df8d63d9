"""From a file to log-mel slices."""
