"""The local stack and the command: start, stop, kill, back up, restore, and what they print."""
