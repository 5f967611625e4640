"""``python -m pipeline_triggers.cli``: the command where its script is not on PATH."""

from pipeline_triggers.cli.main import main

main()
