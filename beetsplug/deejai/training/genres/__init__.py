"""A classifier of genres, taught by the tags of a library."""
