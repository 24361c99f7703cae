"""Files made to do harm: each must be refused or do none."""
