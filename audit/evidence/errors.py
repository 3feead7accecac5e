"""Everything that can go wrong, as one tree: each message is a fact, a value and a next step.

AuditError
├── InputError       what a person gave us: a file, a key, a column, a value     exit 2
│   ├── ConfigError  ... in a YAML file or a config object
│   ├── TableError   ... in a predictions, examples or models table
│   └── MissingExtra ... an optional dependency that is not installed
├── StoreError       a folder that cannot be written, or that disagrees with its recipe   exit 2
└── JobError         one unit of work failed; the others went on                  exit 4
"""

from __future__ import annotations


class AuditError(Exception):
    """A failure that a person can act on; its text is one sentence."""


class InputError(AuditError):
    """Something a person gave us is wrong."""


class ConfigError(InputError):
    """A config key or value is wrong; the text names the file, the line and the key."""


class TableError(InputError):
    """A table is wrong; the text names the first bad row, the column and the value."""


class MissingExtra(InputError):
    """An optional dependency is missing; the text is the line that installs it."""

    def __init__(self, package: str, extra: str, purpose: str) -> None:
        super().__init__(
            f"{purpose} needs {package}, which is not installed: "
            f"run `pip install 'prune-audit[{extra}]'`."
        )


class StoreError(AuditError):
    """A stored result cannot be written, or is not what its recipe says."""


class JobError(AuditError):
    """One unit of work failed."""
