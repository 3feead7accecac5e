import itertools
import json

import jsonschema
import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.judgement.document import findings_schema
from audit.judgement.judging import judge
from audit.judgement.plan import Plan
from audit.judgement.policy.limits import Policy
from tests.audit.judgement.test_judging import QUICK, population

_names = itertools.count()
HEAD = "import numpy as np\n"


@pytest.fixture
def module(tmp_path):
    """Writes a module of its own name, and returns the reference to a function in it."""

    def write(text, function):
        name = f"own_module_{next(_names)}"
        (tmp_path / f"{name}.py").write_text(HEAD + text)
        return f"{name}:{function}"

    return write


@pytest.fixture
def told(study, tmp_path):
    def judged(*references, policy=None, evidence=None, **plan):
        return judge(
            evidence or population(study, n=300),
            Plan(measures=references, **QUICK, **plan),
            Policy.model_validate(policy or {}),
            base=tmp_path,
        )

    return judged


def of(findings, measure, **where):
    return [
        f
        for f in findings.findings
        if f.measure == measure and all(getattr(f, k) == v for k, v in where.items())
    ]


WRONG = '''
def wrong_{n}(view, plan):
    """Share of wrong answers. More words."""
    values = np.where(view.labels < 0, np.nan, view.predicted != view.labels)
    found = []
    for arm in view.arms:
        found += view.answer(values, arm)
        for group in view.groups:
            found += view.answer(values, arm, groups=group)
    return found

wrong_{n}.worse_direction = "up"
'''


def test_a_function_answers_like_a_measure_of_ours(module, told):
    """Wrong answers rise by exactly what accuracy falls by, with the same doubt."""
    found = told(module(WRONG.format(n=1), "wrong_1"))
    for mine in of(found, "wrong_1", groups=None, model=None):
        where = {"sparsity": mine.sparsity, "condition": mine.condition, "severity": mine.severity}
        (ours,) = of(found, "accuracy", method="magnitude", **where)
        assert mine.change == pytest.approx(-ours.change)
        assert mine.standard_error == pytest.approx(ours.standard_error)
        assert mine.p == pytest.approx(ours.p)
        assert (mine.tier, mine.family, mine.unit, mine.worse_direction) == (
            "D", "own", "fraction", "up",
        )  # fmt: skip
    assert len(of(found, "wrong_1", groups=None)) == 2 * 3  # sparsities × conditions
    (group,) = of(found, "wrong_1", groups="g=a", sparsity=0.5, condition="clean")
    (ours,) = of(found, "group_accuracy", groups="g=a", sparsity=0.5, condition="clean")
    assert group.change == pytest.approx(-ours.change)
    (record,) = found.run["measures"]
    assert record["definition"] == "Share of wrong answers. More words"
    assert len(record["content"]) == 64
    jsonschema.validate(json.loads(found.to_json()), findings_schema())


def test_it_changes_nothing_else(module, told, study):
    evidence = population(study)
    without, beside = (
        told(evidence=evidence),
        told(module(WRONG.format(n=2), "wrong_2"), evidence=evidence),
    )
    assert [f for f in beside.findings if f.measure != "wrong_2"] == list(without.findings)


def test_a_limit_and_the_candidate_know_it(module, told):
    reference = module(WRONG.format(n=3), "wrong_3")
    policy = {"own": {"wrong_3": [{"limit": 0.2}, {"limit": 0.3, "groups": "any"}]}}
    found = told(reference, policy=policy, candidate="pruned-0.5-0")
    held = of(found, "wrong_3", limit_name="own.wrong_3")
    assert {f.outcome for f in held} == {"within"}
    assert {f.groups for f in held} == {None, "g=a", "g=b", "h=a", "h=b"}
    assert {f.model for f in held} == {None, "pruned-0.5-0"}
    assert {v["within"] for v in found.policy["verdicts"]} == {2}
    assert [entry["name"] for entry in found.policy["limits"]] == ["own.wrong_3"] * 2
    with pytest.raises(InputError, match=r"on 'wrong_4'.*did you mean 'wrong_3'"):
        told(reference, policy={"own": {"wrong_4": 0.1}})
    with pytest.raises(InputError, match="under `measures:`"):
        told(policy={"own": {"wrong_4": 0.1}})


def test_dicts_will_do(module, told):
    """change 1 point, interval .5 to 1.5: a normal's standard error is .5 / 1.96."""
    text = """
def mine(view, plan):
    return [{"method": "magnitude", "sparsity": 0.5, "change": np.float64(0.01), "low": 0.005,
             "high": 0.015, "n": np.int64(300), "p": float("nan"), "class": "class-1"}]
mine.worse_direction = "up"
"""
    policy = {"own": {"mine": {"limit": 0.05, "class": "class-1"}}}
    found = told(module(text, "mine"), policy=policy, candidate="pruned-0.5-0")
    assert of(found, "mine", condition="clean", model="pruned-0.5-0")
    (one,) = of(found, "mine", condition="clean", sparsity=0.5, model=None)
    assert one.standard_error == pytest.approx(0.005 / 1.959964)
    assert (one.class_, one.subject, one.p, one.n) == ("class-1", "class-1", None, 300)
    assert (one.outcome, one.tier) == ("within", "A")
    assert type(one.change) is float
    found.to_json()


def test_a_level_is_held_to_a_ceiling(module, told):
    text = '''
def share(view, plan):
    """Share taken for class 0."""
    return [f for arm in view.arms for f in view.answer(view.predicted == 0, arm)]
share.level = True
share.worse_direction = "up"
'''
    found = told(module(text, "share"), policy={"own": {"share": 0.9}})
    for one in of(found, "share", condition="clean"):
        assert (one.change, one.p) == (None, None)
        assert one.low < one.pruned < one.high
        assert one.bound_within == pytest.approx(one.pruned, abs=0.2)
        assert one.outcome == "within"


@pytest.mark.parametrize(
    ("body", "text"),
    [
        ("return 1 / 0", r"bad_.*under clean failed \(ZeroDivisionError"),
        ("return None", "failed"),
        ("return [3]", "returned a int"),
        ("return [{'chnge': 0.1}]", "'chnge': did you mean 'change'"),
        ("return [{'measure': 'accuracy'}]", "finding of 'accuracy'"),
        ("return [{'change': 0.1}, {'change': 0.2}]", "answers twice for everybody"),
        ("return [{'outcome': 'over'}]", "'outcome': did you mean"),
    ],
)
def test_what_goes_wrong_is_one_sentence_with_its_name(module, told, body, text):
    name = f"bad_{next(_names)}"
    with pytest.raises(InputError, match=text) as caught:
        told(module(f"def {name}(view, plan):\n    {body}\n", name))
    assert name in str(caught.value)


def test_names_and_declarations_that_will_not_do(module, told):
    with pytest.raises(InputError, match="called 'accuracy', and there is one already"):
        told(module("def accuracy(view, plan):\n    return []\n", "accuracy"))
    same = module("def twin(view, plan):\n    return []\n", "twin")
    with pytest.raises(InputError, match="called 'twin', and there is one already"):
        told(same, same)
    with pytest.raises(InputError, match="declares unit = 'percent'"):
        told(module("def f(view, plan):\n    return []\nf.unit = 'percent'\n", "f"))
    with pytest.raises(InputError, match="worse_direction = 'left'"):
        told(module("def f(view, plan):\n    return []\nf.worse_direction = 'left'\n", "f"))
    with pytest.raises(InputError, match="no module"):
        told("nowhere_at_all:f")


def test_weights_and_clusters_are_the_tables(module, told, study):
    evidence = population(study, n=300)
    examples = evidence.examples.assign(cluster=np.arange(300) // 10)
    from dataclasses import replace

    found = told(
        module(WRONG.format(n=5), "wrong_5"), evidence=replace(evidence, examples=examples)
    )
    mine = of(found, "wrong_5", groups=None, sparsity=0.9, condition="clean")[0]
    ours = of(found, "accuracy", method="magnitude", sparsity=0.9, condition="clean")[0]
    assert mine.standard_error == pytest.approx(ours.standard_error)


def test_the_shipped_example_runs(study):
    from pathlib import Path

    import audit

    folder = Path(audit.__file__).parents[1] / "examples"
    plan = Plan(measures=("own_measure:sure_and_wrong",), **QUICK)
    policy = Policy.model_validate({"own": {"sure_and_wrong": {"limit": 0.5, "groups": "any"}}})
    found = judge(population(study), plan, policy, base=folder)
    assert {f.outcome for f in of(found, "sure_and_wrong", limit_name="own.sure_and_wrong")} == {
        "within"
    }
