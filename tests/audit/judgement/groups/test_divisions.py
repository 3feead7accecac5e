import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from audit.evidence.errors import InputError
from audit.judgement.groups.divisions import canonical_group, groupings
from audit.judgement.plan import Binned, Plan


def frame(**columns):
    return pd.DataFrame({f"group_{name}": values for name, values in columns.items()})


def members(division):
    return {
        name: np.flatnonzero(division.codes == code).tolist()
        for code, name in enumerate(division.names)
    }


def test_columns_and_their_crossing_by_hand():
    examples = frame(sex=["F", "M", "F", "M"], race=["B", "B", "W", None])
    race, sex, both = groupings(examples, Plan())
    assert members(race) == {"race=B": [0, 1], "race=W": [2], "race=missing": [3]}
    assert members(sex) == {"sex=F": [0, 2], "sex=M": [1, 3]}
    assert members(both) == {
        "race=B & sex=F": [0],
        "race=B & sex=M": [1],
        "race=W & sex=F": [2],
        "race=missing & sex=M": [3],
    }
    assert both.columns == ("race", "sex")
    assert both.sizes.tolist() == [1, 1, 1, 1]


def test_prefix_and_order_of_naming_play_no_part():
    examples = frame(sex=["F", "M"], race=["B", "W"])
    named = groupings(examples, Plan(groups=("group_sex", "race")))
    assert [d.label for d in named] == [d.label for d in groupings(examples, Plan())]
    assert [d.label for d in named] == ["race", "sex", "race & sex"]


def test_depth_of_crossings():
    examples = frame(a=["1", "2"], b=["1", "1"], c=["x", "y"])
    assert len(groupings(examples, Plan(intersections=1))) == 3
    assert len(groupings(examples, Plan(intersections=2))) == 6
    assert groupings(examples, Plan(intersections=3))[-1].names == (
        "a=1 & b=1 & c=x",
        "a=2 & b=1 & c=y",
    )


def test_bins_are_half_open_and_name_who_is_outside():
    plan = Plan(groups=(Binned(column="age", bins=(0, 30, 60)),))
    (age,) = groupings(frame(age=["-1", "0", "29.9", "30", "60", "missing"]), plan)
    assert members(age) == {
        "age<0": [0],
        "age=[0, 30)": [1, 2],
        "age=[30, 60)": [3],
        "age>=60": [4],
        "age=missing": [5],
    }


def test_bins_nobody_is_in_are_no_groups():
    plan = Plan(groups=(Binned(column="group_age", bins=(0, 30, 60)),))
    (age,) = groupings(frame(age=[1.0, np.nan]), plan)
    assert age.names == ("age=[0, 30)", "age=missing")


def test_a_binned_column_that_holds_words_names_the_first():
    plan = Plan(groups=(Binned(column="age", bins=(0, 30)),))
    with pytest.raises(InputError, match=r"'age' holds 'old' in row 1"):
        groupings(frame(age=["3", "old"]), plan)


def test_bins_that_do_not_increase_are_refused():
    with pytest.raises(ValueError, match="bin edges must increase"):
        Binned(column="age", bins=(0, 30, 30))


def test_a_missing_column_is_refused_with_the_nearest():
    with pytest.raises(InputError, match=r"'sexx'.*did you mean 'sex'"):
        groupings(frame(sex=["F"], race=["B"]), Plan(groups=("sexx",)))
    with pytest.raises(InputError, match="nor any other"):
        groupings(pd.DataFrame({"example": [1]}), Plan(groups=("sex",)))


def test_a_column_named_twice_is_refused():
    with pytest.raises(InputError, match="names a column twice"):
        groupings(frame(sex=["F"]), Plan(groups=("sex", "group_sex")))


def test_no_groups_at_all():
    assert groupings(pd.DataFrame({"example": [1, 2]}), Plan()) == ()


def test_group_names_as_people_write_them():
    assert canonical_group("sex=F&group_race=Black") == "race=Black & sex=F"
    assert canonical_group("dept=Research & Development & age>=60") == (
        "age>=60 & dept=Research & Development"
    )


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("xyz")), min_size=1))
def test_every_example_is_in_one_group_of_every_division(rows):
    first, second = zip(*rows, strict=True)
    for division in groupings(frame(one=first, two=second), Plan()):
        assert division.sizes.sum() == len(rows)
        assert division.sizes.min() > 0
