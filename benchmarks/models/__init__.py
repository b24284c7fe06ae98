"""Models beside their peers: the same rows to learn from, the same rows to foretell, judged by one harness."""
