"""Attacks on judges: texts around a reply that change its verdict and not its meaning."""
