"""Reading and detecting files, and the results of each dataset type. No server is needed."""
