"""The dashboards' page: one HTML file with its data and its script inside."""
