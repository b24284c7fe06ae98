"""Scores and their reasons beside LightGBM's own and its peers, on the two models of the project's targets."""
