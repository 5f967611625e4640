"""REFERENCE.md: every field, parameter and command, as the code has them.

``python -m pipeline_triggers.cli.reference`` writes it. The same sources make the same page, whatever the machine
or the version of click.
"""

from __future__ import annotations

from pipeline_triggers.cli.reference.commands import commands
from pipeline_triggers.cli.reference.fields import fields
from pipeline_triggers.cli.reference.metrics import metrics
from pipeline_triggers.cli.reference.stack import read_template, stack

__all__ = ["page"]

HEAD = """\
<!-- Generated from the code by `make reference` (python -m pipeline_triggers.cli.reference): not to be edited. -->

# Reference

Every field of a [trigger file](#trigger-files), every [parameter, output and alarm of the stack](#the-stack), every
[metric](#metrics) and every [command](#commands). How they are used is in [README.md](README.md) and
[RECIPES.md](RECIPES.md).
"""


def page(template: str) -> str:
    """The whole page. ``template`` is the text of template.yaml."""
    return "\n".join([HEAD, fields(), stack(read_template(template)), metrics(), commands()]).rstrip("\n") + "\n"
