import fairlearn.metrics as theirs
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import accuracy_score

from audit.evidence.errors import InputError
from audit.judgement.frames.metric_frame import MetricFrame
from audit.judgement.frames.paired import PairedMetricFrame
from audit.judgement.inference.paired import paired_change

NAMED = {
    "accuracy": accuracy_score,
    "count": theirs.count,
    "false_negative_rate": theirs.false_negative_rate,
    "false_positive_rate": theirs.false_positive_rate,
    "selection_rate": theirs.selection_rate,
    "true_negative_rate": theirs.true_negative_rate,
    "true_positive_rate": theirs.true_positive_rate,
}
WEIGHED = [name for name in NAMED if name != "count"]  # Fairlearn's count takes no weights


def table(seed, n=80, undefined=False):
    draw = np.random.default_rng(seed)
    frame = pd.DataFrame(
        {
            "label": draw.integers(0, 2, n),
            "predicted": draw.integers(0, 2, n),
            "sex": draw.choice(["f", "m"], n),
            "race": draw.choice(["x", "y", "z"], n),
            "age": draw.choice([1, 2], n),
            "weight": draw.integers(1, 4, n).astype(float),
        }
    )
    if undefined:
        return frame
    # Every cell has both labels, so that no rate of Fairlearn's is a 0 out of nothing.
    filled = [
        (label, taken, sex, race, age, 1.0)
        for label in (0, 1)
        for taken in (0, 1)
        for sex in "fm"
        for race in "xyz"
        for age in (1, 2)
    ]
    return pd.concat([frame, pd.DataFrame(filled, columns=frame.columns)], ignore_index=True)


def both(frame, sensitive, control=None, weighted=False, single=None):
    names = WEIGHED if weighted else list(NAMED)
    asked = {
        "y_true": frame["label"],
        "y_pred": frame["predicted"],
        "sensitive_features": frame[sensitive],
        "control_features": None if control is None else frame[control],
    }
    weight = frame["weight"] if weighted else None
    params = {name: {"sample_weight": weight} for name in names} if weighted else None
    if single:
        params = None
    ours = MetricFrame(
        metrics=single or {name: name for name in names}, sample_weight=weight, **asked
    )
    other = theirs.MetricFrame(
        metrics=NAMED[single] if single else {name: NAMED[name] for name in names},
        sample_params=params,
        **asked,
    )
    return ours, other


def same(ours, other):
    """Keys as well as values, kinds as well as keys."""
    if isinstance(other, pd.DataFrame):
        assert list(ours.columns) == list(other.columns)
        assert ours.index.names == other.index.names
        pd.testing.assert_frame_equal(
            ours, other.astype(float), check_names=True, check_index_type=False
        )
    elif isinstance(other, pd.Series):
        pd.testing.assert_series_equal(
            ours, other.astype(float), check_names=False, check_index_type=False
        )
        assert ours.index.names == other.index.names
    else:
        assert isinstance(ours, float)
        assert ours == pytest.approx(float(other))


def every(frame):
    yield frame.by_group
    yield frame.overall
    yield frame.group_min()
    yield frame.group_max()
    for method in ("between_groups", "to_overall"):
        yield frame.difference(method)
        yield frame.ratio(method)


@settings(max_examples=25, deadline=None)
@given(
    st.integers(0, 10_000),
    st.sampled_from([["sex"], ["race"], ["sex", "race"]]),
    st.sampled_from([None, ["age"]]),
    st.booleans(),
)
def test_equals_fairlearn_where_it_defines_them(seed, sensitive, control, weighted):
    ours, other = both(table(seed), sensitive, control, weighted)
    assert ours.sensitive_levels == other.sensitive_levels
    assert ours.control_levels == other.control_levels
    for mine, yours in zip(every(ours), every(other), strict=True):
        same(mine, yours)


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([None, ["age"]]))
def test_one_metric_gives_one_column_or_number(seed, control):
    ours, other = both(table(seed), "sex", control, single="selection_rate")
    for mine, yours in zip(every(ours), every(other), strict=True):
        same(mine, yours)
    assert ours.by_group.name == other.by_group.name


def test_columns_without_names_are_named_as_theirs():
    frame = table(0)
    asked = {
        "y_true": frame["label"].to_numpy(),
        "y_pred": frame["predicted"].to_numpy(),
        "sensitive_features": frame[["sex", "race"]].to_numpy(),
        "control_features": frame["age"].to_numpy(),
    }
    ours = MetricFrame(metrics={"s": "selection_rate"}, **asked)
    other = theirs.MetricFrame(metrics={"s": theirs.selection_rate}, **asked)
    same(ours.by_group, other.by_group)


def test_functions_are_called_per_group():
    frame = table(1)
    asked = {
        "y_true": frame["label"],
        "y_pred": frame["predicted"],
        "sensitive_features": frame["race"],
        "control_features": frame["age"],
    }
    metrics = {"precision": lambda true, taken: float(np.mean(true[taken == 1])), "n": theirs.count}
    ours = MetricFrame(metrics=metrics, **asked)
    for mine, yours in zip(
        every(ours), every(theirs.MetricFrame(metrics=metrics, **asked)), strict=True
    ):
        same(mine, yours)
    counted = MetricFrame(metrics={"precision": "precision", "n": "count"}, **asked)
    same(counted.by_group, ours.by_group)


def test_a_function_is_given_the_weights():
    frame = table(2)
    asked = {
        "y_true": frame["label"],
        "y_pred": frame["predicted"],
        "sensitive_features": frame["race"],
        "sample_weight": frame["weight"],
    }
    called = MetricFrame(metrics=theirs.selection_rate, **asked)
    counted = MetricFrame(metrics="selection_rate", **asked)
    assert called.by_group.to_numpy() == pytest.approx(counted.by_group.to_numpy())
    assert called.overall == pytest.approx(counted.overall)


def test_undefined_is_nan_and_opens_no_gap():
    """Group b has no positive: Fairlearn says its recall is 0 and the difference 1; it has none."""
    asked = {
        "y_true": [1, 1, 0, 0],
        "y_pred": [1, 1, 0, 0],
        "sensitive_features": ["a", "a", "b", "b"],
    }
    ours = MetricFrame(metrics="true_positive_rate", **asked)
    other = theirs.MetricFrame(metrics=theirs.true_positive_rate, **asked)
    assert other.difference() == 1.0
    assert np.isnan(ours.by_group["b"])
    assert ours.difference() == 0.0
    assert ours.group_min() == 1.0


def test_many_models_are_the_mean_of_each():
    frame = table(3)
    draw = np.random.default_rng(3)
    models = draw.integers(0, 2, (5, len(frame)))
    asked = {"y_true": frame["label"], "sensitive_features": frame[["sex", "race"]]}
    metrics = {"fpr": "false_positive_rate", "acc": "accuracy"}
    together = MetricFrame(metrics=metrics, y_pred=models, **asked)
    alone = [MetricFrame(metrics=metrics, y_pred=row, **asked) for row in models]
    for place, mine in enumerate(every(together)):
        each = [list(every(one))[place].to_numpy() for one in alone]
        np.testing.assert_allclose(mine.to_numpy(), np.mean(each, axis=0))


def test_a_pair_shows_what_pruning_added_by_hand():
    """FPR in a goes from 0/2 to 1/2 and stays 1/2 in b, so the gap closes: 1/2 to 0."""
    found = PairedMetricFrame(
        metrics="false_positive_rate",
        y_true=[0, 0, 0, 0],
        parent=[0, 0, 1, 0],
        pruned=[1, 0, 1, 0],
        sensitive_features=["a", "a", "b", "b"],
    )
    assert found.by_group.to_dict() == {"a": 0.5, "b": 0.0}
    assert found.overall == 0.25
    assert found.difference() == -0.5
    assert (found.group_min(), found.group_max()) == (0.5, 0.0)
    assert found.ratio() == 1.0


def test_intervals_agree_with_the_inference_of_means():
    """The change of accuracy in a group is a mean, whose standard errors are known exactly."""
    draw = np.random.default_rng(0)
    label, group = draw.integers(0, 2, 400), draw.choice(["a", "b"], 400)
    parent = np.where(draw.random((1, 400)) < 0.9, label, 1 - label)
    pruned = np.where(draw.random((1, 400)) < 0.8, label, 1 - label)
    found = PairedMetricFrame(
        metrics={"accuracy": "accuracy", "fpr": "false_positive_rate"},
        y_true=label,
        parent=parent,
        pruned=pruned,
        sensitive_features=pd.Series(group, name="g"),
    ).intervals(draws=3000)
    inside = group == "b"
    exact = paired_change(((pruned == label) * 1.0 - (parent == label))[:, inside])
    assert found.change.loc["b", "accuracy"] == pytest.approx(exact.change)
    assert found.standard_error.loc["b", "accuracy"] == pytest.approx(
        exact.standard_error, rel=0.08
    )
    assert (found.low < found.change).all(axis=None)
    assert (found.change < found.high).all(axis=None)
    assert found.df == 399


def test_pairs_of_one_parent_count_once():
    draw = np.random.default_rng(1)
    label, group = draw.integers(0, 2, 200), draw.choice(["a", "b"], 200)
    parent = np.where(draw.random((6, 200)) < 0.9, label, 1 - label)
    pruned = np.where(draw.random((6, 200)) < 0.8, label, 1 - label)
    frame = PairedMetricFrame(
        metrics={"accuracy": "accuracy"},
        y_true=label,
        parent=parent,
        pruned=pruned,
        sensitive_features=group,
    )
    found = frame.intervals(draws=100, parents=[0, 0, 0, 0, 0, 1])
    assert found.df == 1
    inside = group == "a"
    each = ((pruned == label) * 1.0 - (parent == label))[:, inside].mean(axis=1)
    by_hand = (each[:5].mean() + each[5]) / 2
    assert found.change.loc["a", "accuracy"] == pytest.approx(by_hand)
    alone = frame.intervals(draws=100)
    assert alone.change.loc["a", "accuracy"] == pytest.approx(each.mean())
    assert frame.intervals(draws=100).df == 5


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"metrics": "acuracy"}, "There is no metric 'acuracy'"),
        ({"y_pred": [1]}, "give .examples."),
        ({"sensitive_features": None}, "at least one column of groups"),
        ({"sensitive_features": ["a"]}, "one value per example"),
        ({"sample_weight": [1.0]}, "one per example"),
    ],
)
def test_bad_input_says_what_to_give(more, said):
    asked = {
        "metrics": "accuracy",
        "y_true": [0, 1],
        "y_pred": [0, 1],
        "sensitive_features": ["a", "b"],
    }
    with pytest.raises(InputError, match=said):
        _ = MetricFrame(**{**asked, **more}).by_group


def test_other_methods_and_intervals_of_functions_are_refused():
    asked = {"y_true": [0, 1], "sensitive_features": ["a", "b"]}
    with pytest.raises(InputError, match="between_groups"):
        MetricFrame(metrics="accuracy", y_pred=[0, 1], **asked).difference("largest")
    with pytest.raises(InputError, match="is a function"):
        PairedMetricFrame(
            metrics={"f": theirs.selection_rate}, parent=[0, 1], pruned=[0, 1], **asked
        ).intervals()
