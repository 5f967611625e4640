"""Writes the JSON Schema of trigger files to ``triggers.schema.json`` in the package."""

from __future__ import annotations

from pipeline_triggers.documents.schema import SCHEMA_FILE, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
