"""One folder a pipeline; each turns an upload of one dataset type into outputs."""
