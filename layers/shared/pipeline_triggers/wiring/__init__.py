"""The composition roots, one for each kind of function: what only the other kind needs is not loaded."""
