"""Which dense control a study makes for a way of retraining: the one that the library makes."""

from __future__ import annotations

import pytest

from audit.study.config import PopulationSettings
from audit.study.population_notes import _beside_others
from audit.study.recipes import Pruned
from pruners import RETRAININGS, Method
from pruners.arms import arms_of
from tests.audit.study.test_populations import recipes

ALONG = ("fine_tune", "while_training")


@pytest.mark.parametrize("retraining", sorted(RETRAININGS))
def test_a_study_has_the_controls_that_the_library_has(retraining: str):
    """And no control where training again unpruned gives the parent itself."""
    one_shot = {} if retraining == "while_training" else {"schedule": "one_shot"}
    method = {**one_shot, "retraining": retraining, "name": "m"}
    found = recipes({"seeds": 1, "sparsities": [0.5], "methods": [method]})
    controls = [m for m in found.values() if isinstance(m, Pruned) and m.sparsity == 0.0]
    arms = arms_of([Method(**method)], [0.5], ["dense"], chain=False, paired=True)
    expected = [arm for arm in arms if arm.role == "control"]
    assert [m.method is not None for m in controls] == [arm.method is not None for arm in expected]
    again = retraining in ("weight_rewinding", "while_training")
    assert len(controls) == (0 if again else 1)


@pytest.mark.parametrize(
    ("retrainings", "more", "noted"),
    [
        (("while_training", "fine_tune"), {}, True),
        (("weight_rewinding", "lr_rewinding"), {}, True),
        (("while_training", "weight_rewinding"), {}, False),
        (("while_training",), {}, False),
        (("none", "fine_tune"), {}, False),
        (("while_training", "fine_tune"), {"controls": False}, False),
    ],
)
def test_methods_beside_the_control_of_others_are_named(retrainings, more, noted):
    methods = [
        {"retraining": one, "name": one, "schedule": "cubic" if one in ALONG else "one_shot"}
        for one in retrainings
    ]
    found = _beside_others(PopulationSettings(methods=methods, **more))
    assert len(found) == noted
    if noted:
        assert found[0].startswith(f"{retrainings[0]}: made by the parent's own training")
        assert "the floor is too high for them" in found[0]
