import numpy as np
import pandas as pd
import pytest

import audit
from audit.evidence.errors import InputError, TableError
from audit.judgement.design import UNSTATED
from audit.judgement.from_tables import audit_table, compare_predictions
from audit.judgement.plan import Binned, Plan
from audit.judgement.policy.gate import check
from audit.judgement.policy.limits import Policy

QUICK = Plan(resamples=100)


def predictions(seed=0, n=300):
    draw = np.random.default_rng(seed)
    y = draw.choice(["no", "yes"], n)
    parent = np.where(draw.random(n) < 0.9, y, "no")
    pruned = np.where(draw.random(n) < 0.1, "no", parent)
    features = pd.DataFrame({"sex": draw.choice(["F", "M"], n), "age": draw.integers(0, 90, n)})
    return y, parent, pruned, features


def flat(seed=0):
    y, parent, pruned, features = predictions(seed)
    both = [
        features.assign(id=np.arange(len(y)), y_true=y, y_pred=p, model=name, role=role)
        for name, p, role in (("d", parent, "dense"), ("p", pruned, "pruned"))
    ]
    return pd.concat(both, ignore_index=True)


COLUMNS = {"example": "id", "label": "y_true", "predicted": "y_pred"}


def test_one_pair_of_arrays():
    y, parent, pruned, features = predictions()
    found = compare_predictions(
        y, parent, pruned, features[["sex"]], "yes", plan=QUICK, policy={"max_accuracy_drop": 0.2}
    )
    frame = found.frame()
    (fnr,) = [f for f in found.findings if (f.measure, f.groups) == ("group_fnr", "sex=F")]
    inside = (features["sex"] == "F").to_numpy() & (y == "yes")
    assert fnr.parent == pytest.approx((parent[inside] == "no").mean())
    assert fnr.pruned == pytest.approx((pruned[inside] == "no").mean())
    assert set(frame.query("measure == 'accuracy' and outcome != 'not_asked'")["outcome"]) == {
        "within"
    }
    assert "demographic_parity_difference" in set(frame["measure"])


def test_a_sparsity_that_nobody_stated_is_none():
    y, parent, pruned, _ = predictions()
    limits = {"max_accuracy_drop": 0.2, "min_prune_potential": 0.3}
    found = compare_predictions(y, parent, pruned, plan=QUICK, policy=limits)
    assert {f.sparsity for f in found.findings} == {None}
    assert '"sparsity": 0' not in found.to_json()
    (accuracy,) = [f for f in found.findings if f.limit_name == "max_accuracy_drop"]
    assert accuracy.outcome == "within"
    potentials = [f for f in found.findings if f.measure == "prune_potential"]
    assert {(f.outcome, f.reason) for f in potentials} == {("not_asked", UNSTATED)}
    (verdict,) = found.policy["verdicts"]
    assert verdict == {
        "method": "pruned",
        "sparsity": None,
        "model": None,
        "outcome": "cannot_tell",
        "within": 1,
        "over": 0,
        "cannot_tell": 0,
        "not_asked": 1,
        "waived": 0,
    }
    (largest,) = found.policy["largest_within"]
    assert largest == {"method": "pruned", "sparsity": None, "reason": UNSTATED}
    assert check(found) == (3, "cannot_tell")
    alone = compare_predictions(y, parent, pruned, plan=QUICK, policy={"max_accuracy_drop": 0.2})
    assert check(alone) == (0, "within")
    with pytest.raises(InputError, match="No model was audited at sparsity 0"):
        check(alone, sparsity=0.0)


def test_a_sparsity_that_is_stated_is_kept():
    y, parent, pruned, _ = predictions()
    found = compare_predictions(y, parent, pruned, plan=QUICK, sparsity=0.0)
    assert {f.sparsity for f in found.findings if f.measure == "recall"} == {0.0}


def test_a_table_with_its_own_columns():
    plan = QUICK.model_copy(update={"groups": ("sex",)})
    found = audit_table(flat(), plan, Policy(), COLUMNS)
    assert found.run["groups"] == ["sex"]
    assert found.run["examples"] == 300
    assert {f.groups for f in found.findings if f.groups} == {"sex=F", "sex=M"}


def test_a_file_a_shuffled_frame_and_bins(tmp_path):
    plan = Plan(groups=("sex", Binned(column="age", bins=(0, 30, 60))), resamples=100)
    path = tmp_path / "table.csv"
    flat().to_csv(path, index=False)
    once = audit_table(path, plan, None, COLUMNS)
    again = audit_table(flat().sample(frac=1, random_state=0), plan, None, COLUMNS)
    assert once.to_json() == again.to_json()
    assert "age=[0, 30)" in {f.groups for f in once.findings}
    assert "age>=60 & sex=F" in {f.groups for f in once.findings}


def test_several_tables_are_one():
    table = flat()
    parts = [table[table["model"] == name] for name in ("d", "p")]
    assert audit_table(parts, QUICK, None, COLUMNS).to_json() == (
        audit_table(table, QUICK, None, COLUMNS).to_json()
    )


def test_duplicates_are_refused():
    table = flat()
    with pytest.raises(TableError):
        audit_table(pd.concat([table, table.iloc[:1]]), QUICK, None, COLUMNS)


def test_a_group_that_is_not_there():
    with pytest.raises(InputError, match="gender"):
        audit_table(flat(), Plan(groups=("gender",)), None, COLUMNS)


def test_a_policy_as_in_yaml():
    found = audit_table(flat(), QUICK, {"max_accuracy_drop": 0.2}, COLUMNS)
    assert found.policy["verdicts"][0]["outcome"] == "within"


def test_an_evidence_folder_and_a_run_folder(tmp_path):
    from audit.evidence import Condition, write_examples, write_models, write_part

    folder = tmp_path / "evidence"
    y, parent, pruned, _ = predictions()
    codes = {"no": 0, "yes": 1}
    write_examples(folder, pd.DataFrame({"example": range(300), "label": y}), ["no", "yes"])
    write_models(
        folder,
        pd.DataFrame(
            {
                "model": ["d", "p"],
                "parent": ["", "d"],
                "role": ["dense", "pruned"],
                "method": ["", "magnitude"],
                "sparsity": [None, 0.5],
            }
        ),
    )
    for name, predicted in (("d", parent), ("p", pruned)):
        told = [codes[p] for p in predicted]
        write_part(folder, name, Condition("clean", 0.0), range(300), told)
    direct, inner = audit_table(folder, QUICK), audit_table(tmp_path, QUICK)
    assert direct.to_json() == inner.to_json()
    assert {f.sparsity for f in direct.findings if f.measure == "recall"} == {0.5}


def test_the_package_offers_them():
    assert audit.audit_table is audit_table
    assert audit.compare_predictions is compare_predictions
    assert audit.Plan is Plan
