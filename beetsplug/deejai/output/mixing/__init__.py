"""Join tracks into one continuous file."""
