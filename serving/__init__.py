"""Scores in use. The release is told here: a bento holds the files, and no distribution to ask."""

__version__ = "0.1.0"
