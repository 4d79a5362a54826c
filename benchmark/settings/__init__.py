"""Run settings: one YAML file each, found by its place."""
