"""From a list of tracks to files: playlists and rendered mixes."""
