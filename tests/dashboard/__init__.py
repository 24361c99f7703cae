"""The HTML page of a result: its markup, its charts, and what it does in a browser."""
