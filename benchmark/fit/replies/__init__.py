"""Labelled replies of our own: a file for each set and language, as YAML."""
