"""Which dataset type is this file?"""
