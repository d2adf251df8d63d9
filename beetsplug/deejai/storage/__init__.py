"""Where vectors are kept: the library's flexible attributes and the side store."""
