"""The exported rule: Python that runs and agrees with the audit, and JSON that says the same."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.guarding import Guarded, GuardResult, export_guard
from audit.judgement.plan import Guard

FOUND = Guarded(
    method="magnitude",
    sparsity=0.7,
    threshold=0.83,
    met="bound",
    steered_by=("max_accuracy_drop",),
    validation_n=300,
    share=0.1234,
    before="over",
    after="within",
)


@pytest.mark.parametrize("asked", [Guard(), Guard(signal="margin", to="person")])
def test_the_python_runs_and_the_json_agrees(tmp_path, asked):
    as_json, as_python = export_guard(FOUND, asked, tmp_path, {"run": "digits"})
    space = {}
    exec(compile(as_python.read_text(), "guard.py", "exec"), space)
    sure = np.array([0.82, 0.83, 0.99, np.nan])
    assert space["keep"](sure).tolist() == [False, True, True, False]
    assert space["keep"](0.9)
    document = json.loads(as_json.read_text())
    assert document["rule"] == {
        "signal": asked.signal,
        "keep_at_or_above": 0.83,
        "else": asked.to,
    }
    assert document["certified_on_test"]["verdict"] == "within"
    assert document["provenance"] == {"run": "digits"}
    assert "12.3 %" in space["__doc__"]


def test_a_hostile_name_stays_inside_the_docstring(tmp_path):
    named = replace(FOUND, method='"""\nimport os\nos.abort()\n"""\\')
    _, as_python = export_guard(named, Guard(), tmp_path, {"run": 'x"""\ny'})
    space = {}
    exec(compile(as_python.read_text(), "guard.py", "exec"), space)
    assert "os" not in space


def test_no_rule_is_no_file(tmp_path):
    none = Guarded(method=None, sparsity=0.5, reason="there are no validation examples")
    with pytest.raises(InputError, match="no validation examples"):
        export_guard(none, Guard(), tmp_path, {})
    assert not list(tmp_path.iterdir())


def test_one_guard_is_picked_and_an_open_choice_is_refused():
    result = GuardResult(Guard(), (FOUND, replace(FOUND, sparsity=0.9)))
    assert result.of(None, 0.9).sparsity == 0.9
    for asked in ((None, None), ("random", None)):
        with pytest.raises(InputError, match=r"magnitude at 0\.7, magnitude at 0\.9"):
            result.of(*asked)
