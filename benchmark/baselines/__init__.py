"""Published lists of refusal strings, one YAML file each, as judges to compare ours with."""
