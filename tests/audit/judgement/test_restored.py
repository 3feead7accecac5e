"""A run's plan and policy, read back from its findings, ask the same again."""

from __future__ import annotations

import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.findings import Findings, no_exemplars
from audit.judgement.judging import judge
from audit.judgement.plan import Binned, Guard, Plan, Search
from audit.judgement.policy.limits import Policy
from audit.judgement.restored import plan_of, policy_of

PLAN = Plan(
    groups=("g", Binned(column="age", bins=(0.0, 30.0))),
    alpha=0.1,
    resamples=100,
    search=Search(depth=1),
    guard=Guard(to="person"),
)
POLICY = Policy.model_validate(
    {
        "looks": 2,
        "max_accuracy_drop": [0.02, {"limit": 0.05, "sparsity": 0.5, "owner": "me"}],
        "max_group_accuracy_drop": {"limit": 0.1, "groups": "g=a", "claim": "files"},
        "min_recall": {"limit": 0.2, "class": "x"},
    }
)


def test_there_and_back(study):
    labels = np.arange(80) % 2
    columns = {"group_g": ["a", "b"] * 40, "group_age": np.arange(80.0)}
    case = study(labels, [labels] * 2, {0.5: [labels] * 2}, columns=columns, classes=("x", "y"))
    found = judge(case.evidence, PLAN, POLICY)
    assert plan_of(found) == PLAN
    again = judge(case.evidence, plan_of(found), policy_of(found))
    assert again.policy == found.policy
    assert again.to_json() == found.to_json()


@pytest.mark.parametrize(
    ("read", "run", "policy"),
    [
        (plan_of, {"plan": {"alpha": 7}}, {}),
        (policy_of, {}, {"limits": [{"name": "max_nothing", "limit": 0.1}]}),
    ],
)
def test_what_another_version_wrote_is_refused_in_one_sentence(read, run, policy):
    with pytest.raises(InputError, match="judge the run again"):
        read(Findings(run, policy, (), no_exemplars()))
