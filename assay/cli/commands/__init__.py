"""The subcommands of `assay`, by topic; assay/cli/app.py registers them."""
