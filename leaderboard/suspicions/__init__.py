"""Signs that replies were not made as they should be: one file a test."""
