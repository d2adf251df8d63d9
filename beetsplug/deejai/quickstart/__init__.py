"""A tour of the plugin on a throwaway library."""
