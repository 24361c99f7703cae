"""Results of the dataset type `station_measurements`, part by part."""
