"""The gates of ``make audit``: what they are told to leave out has its reason beside it."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from samtranslator.yaml_helper import yaml_parse

from tests.architecture.modules import PACKAGE, ROOT, handlers

AUDIT = ROOT / ".ci/audit"
SOURCES = [*sorted(PACKAGE.rglob("*.py")), *(module.path for module in handlers())]
# Which findings, and behind another hash, why.
NOSEC = re.compile(r"# nosec B\d{3}(?:,B\d{3})* # \w.*")


def _suppressions() -> list[str]:
    lines = [line for path in SOURCES for line in path.read_text(encoding="utf-8").splitlines()]
    return [line[line.index("# nosec") :] for line in lines if "# nosec" in line]


def test_a_finding_that_bandit_leaves_out_is_named_with_the_reason() -> None:
    assert [it for it in _suppressions() if not NOSEC.fullmatch(it)] == []


@pytest.mark.parametrize(
    ("file", "key", "with_the_one_before"),
    [("checkov.yaml", "skip-check", ["CKV_AWS_116"]), ("bandit.yaml", "skips", [])],
)
def test_a_check_that_is_left_out_for_everything_has_its_reason_before_it(
    file: str, key: str, with_the_one_before: list[str]
) -> None:
    text = (AUDIT / file).read_text(encoding="utf-8")
    lines = [line.strip() for line in text.partition(f"{key}:\n")[2].splitlines()]
    left_out = [line.removeprefix("- ") for line in lines if line.startswith("- ")]
    assert left_out == yaml_parse(text)[key]
    unexplained = [line.removeprefix("- ") for before, line in pairwise(["", *lines]) if not before.startswith("# ")]
    assert [it for it in unexplained if it in left_out] == with_the_one_before


def test_a_rule_of_cfn_lint_that_is_left_out_has_its_reason_beside_it() -> None:
    everywhere = (AUDIT / "cfnlintrc.yaml").read_text(encoding="utf-8").partition("ignore_checks:\n")[2]
    assert everywhere.strip().startswith("# ")
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    for line in (line for line in template.splitlines() if "ignore_checks" in line):
        assert re.search(r"ignore_checks: \[\w+(, \w+)*\]  # \w", line), line


def test_the_template_hides_nothing_from_checkov() -> None:
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    assert "checkov" not in template


def test_continuous_integration_runs_the_audit_before_it_builds() -> None:
    steps = re.findall(r"^step (\w+)", (ROOT / ".ci/run").read_text(encoding="utf-8"), re.MULTILINE)
    assert steps.index("audit") < steps.index("build")
    audit = (ROOT / "Makefile").read_text(encoding="utf-8").partition("\naudit: ")[2].partition("\n\n")[0]
    assert all(tool in audit for tool in ("/bin/cfn-lint ", "/bin/checkov ", "/bin/bandit "))
    assert "append_rules: [cfn_lint_serverless.rules]" in (AUDIT / "cfnlintrc.yaml").read_text(encoding="utf-8")
