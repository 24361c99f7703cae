"""Random requests to the HTTP API, made from its OpenAPI document."""
