"""Every command: uploads and what a user does to a job."""
