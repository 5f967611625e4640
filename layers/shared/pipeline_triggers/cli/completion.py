"""The command "completion": what a shell reads to complete the words of ``pipeline-triggers``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from pipeline_triggers.cli.settings import PROGRAM, Answer, Command
from pipeline_triggers.errors import PipelineTriggersError

SHELLS = ("bash", "zsh", "fish")
# click answers the shell's questions when it finds this variable set.
VARIABLE = "_PIPELINE_TRIGGERS_COMPLETE"


@click.command(cls=Command)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, *, shell: str) -> Answer:
    """Print what makes a shell complete commands, options, choices and files.

    \b
    bash  in ~/.bashrc:
          eval "$(pipeline-triggers completion bash)"
    zsh   in ~/.zshrc, below compinit:
          eval "$(pipeline-triggers completion zsh)"
    fish  in ~/.config/fish/config.fish:
          pipeline-triggers completion fish | source

    Nothing is asked of AWS while completing.
    """
    made = get_completion_class(shell)
    if made is None:
        raise PipelineTriggersError(f"this version of click knows no completion for {shell}")
    completer = made(context.find_root().command, {}, PROGRAM, VARIABLE)
    script = completer.source_template % completer.source_vars()
    return Answer(result={"shell": shell, "script": script}, text=script.strip("\n") + "\n")
