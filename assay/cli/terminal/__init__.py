"""What a command takes from a terminal and shows there."""
