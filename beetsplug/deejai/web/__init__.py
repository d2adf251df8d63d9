"""The web deck: a page that plays on, and the API behind it."""
