"""Writes REFERENCE.md beside template.yaml, in the folder where it is called."""

from __future__ import annotations

from pathlib import Path

from pipeline_triggers.cli.reference import page

if __name__ == "__main__":
    Path("REFERENCE.md").write_text(page(Path("template.yaml").read_text(encoding="utf-8")), encoding="utf-8")
