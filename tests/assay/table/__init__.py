"""Results of the dataset type `table`."""
