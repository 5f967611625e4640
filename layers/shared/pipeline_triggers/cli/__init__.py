"""The ``pipeline-triggers`` command: never loaded in Lambda."""
