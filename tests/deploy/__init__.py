"""The built packages, deployed from template.yaml to a local CloudFormation. Run by `make test-deploy`."""
