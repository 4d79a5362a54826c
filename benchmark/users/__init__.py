"""How simulated users speak and change, one file a script."""
