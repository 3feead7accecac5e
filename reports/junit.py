"""The gate as JUnit XML: what every pipeline knows how to show, a test case per finding."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Literal
from xml.etree import ElementTree

from audit.evidence.files import write_file
from audit.judgement.findings import Finding
from audit.judgement.policy.gate import Gated

CannotTell = Literal["fail", "pass"]
Fate = Literal["passed", "failure", "error", "skipped"]

# Everything that XML 1.0 cannot hold, not even escaped.
_UNWRITABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_junit(chosen: Sequence[Gated], cannot_tell: CannotTell, file: Path) -> Path:
    """Writes the selected verdicts as JUnit XML, whole or not at all.

    Raises:
        StoreError: The file cannot be written.
    """
    write_file(file, junit(chosen, cannot_tell))
    return file


def junit(chosen: Sequence[Gated], cannot_tell: CannotTell) -> bytes:
    """One test suite per verdict, one test case per finding that a limit holds; no times in it.

    Over is a failure; cannot tell and not asked are errors, or skipped where not knowing passes;
    what somebody accepts is skipped, with who, why and until when.

    Args:
        chosen: The verdicts on the day of the gate.
        cannot_tell: Whether not knowing fails.
    """
    root = ElementTree.Element("testsuites", name="prune-audit")
    for each in chosen:
        suite = ElementTree.SubElement(root, "testsuite", name=_clean(subject(each)))
        fates = [_case(suite, finding, each, cannot_tell) for finding in each.findings]
        suite.set("tests", str(len(fates)))
        for attribute, fate in (("failures", "failure"), ("errors", "error")):
            suite.set(attribute, str(fates.count(fate)))  # type: ignore[arg-type]
        suite.set("skipped", str(fates.count("skipped")))
    ElementTree.indent(root)
    text = ElementTree.tostring(root, encoding="utf-8", xml_declaration=True)
    return bytes(text) + b"\n"


def fate_of(finding: Finding, each: Gated, cannot_tell: CannotTell) -> Fate:
    """What a finding means for the pipeline on the day of the gate."""
    if finding.id in each.waived:
        return "skipped"
    if finding.outcome == "over":
        return "failure"
    if finding.outcome in ("cannot_tell", "not_asked"):
        return "error" if cannot_tell == "fail" else "skipped"
    return "passed"


def subject(each: Gated) -> str:
    """Whom a verdict is about, in a line."""
    row = each.verdict
    level = "as a whole" if row["sparsity"] is None else f"at {row['sparsity']:g}"
    one = f" ({row['model']})" if row.get("model") else ""
    return f"{row['method'] or 'every method'} {level}{one}"


def title(finding: Finding) -> str:
    """The limit and whom it is held for, in a line."""
    severity = "" if not finding.severity else f" {finding.severity:g}"
    parts = [
        f"{finding.limit_name} {finding.limit:g}",
        *(part for part in (finding.groups, finding.class_) if part is not None),
    ]
    if finding.condition not in (None, "clean"):
        parts.append(f"{finding.condition}{severity}")
    return ", ".join(parts)


def message(finding: Finding, each: Gated) -> str:
    """The outcome, its reason, and who accepts it or accepted it once."""
    said = [finding.outcome.replace("_", " "), finding.reason or ""]
    if finding.waiver is not None:
        said.append(finding.waiver)
    if finding.id in each.expired:
        said.append(f"the waiver expired on {each.expired[finding.id]}")
    return "; ".join(part for part in said if part)


def _case(
    suite: ElementTree.Element, finding: Finding, each: Gated, cannot_tell: CannotTell
) -> Fate:
    case = ElementTree.SubElement(
        suite, "testcase", classname=_clean(subject(each)), name=_clean(title(finding))
    )
    fate = fate_of(finding, each, cannot_tell)
    if fate != "passed":
        kind = ElementTree.SubElement(case, fate, message=_clean(message(finding, each)))
        kind.set("type", finding.outcome)
    return fate


def _clean(text: str) -> str:
    return _UNWRITABLE.sub("\ufffd", text)
