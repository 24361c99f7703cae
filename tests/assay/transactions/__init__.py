"""Results of the dataset type `transactions`."""
