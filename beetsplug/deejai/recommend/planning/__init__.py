"""Journeys planned as a whole: the legs, their slots, their time."""
