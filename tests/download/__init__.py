"""The queries of the HTTP API, called as API Gateway calls them."""
