"""What the documentation claims, made by one command each."""
