"""Fit the embedded judge on labelled replies, and validate it on sets and models left out."""
