"""Scores become decisions: pure functions over scores, facts and what was done, each of which commands and pages call."""
