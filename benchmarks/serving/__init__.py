"""The service beside other ways to serve the same model, and beside a route that does nothing."""
