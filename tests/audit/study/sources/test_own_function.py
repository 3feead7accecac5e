from __future__ import annotations

import numpy as np
import pytest

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, Limit, SplitNames, Undersample
from audit.study.sources import load_source


@pytest.fixture
def load(module, tmp_path):
    def run(text, function="data", data_workers=0, **values):
        settings = DataSettings(source=f"{module(text)}:{function}", **values)
        return load_source(settings, tmp_path, data_workers=data_workers)

    return run


AUDITED = {"splits": SplitNames(train=None)}


def test_arrays_with_a_split_parameter(load):
    source = load(
        """
        import numpy as np

        def data(split, count):
            rows = np.arange(count if split == "train" else 6, dtype=np.uint8)
            images = np.broadcast_to(rows[:, None, None], (len(rows), 4, 4))
            return {"inputs": images, "labels": rows % 2, "site": rows % 3}
        """,
        arguments={"count": 20},
        groups=("site",),
    )
    assert source.test.inputs.shape == (6, 4, 4, 1)
    assert source.test.labels.tolist() == [0, 1] * 3
    assert source.test.groups["site"].tolist() == ["0", "1", "2"] * 2
    assert len(source.train) == 18


def test_a_pair_a_path_and_ids(load, tmp_path):
    np.save(tmp_path / "x.npy", np.arange(8.0).reshape(4, 2))
    source = load(
        """
        import numpy as np

        def data(path):
            return np.load(path), ["no", "yes", "no", "yes"]
        """,
        path="x.npy",
        **AUDITED,
    )
    assert source.kind == "table"
    assert source.encoding is None
    assert source.classes == ("no", "yes")
    assert source.test.inputs.tolist() == [[0, 1], [2, 3], [4, 5], [6, 7]]
    named = load(
        "def data():\n    return {'inputs': [[1.0], [2.0]], 'labels': [0, 1], 'ids': ['a', 'b']}\n",
        **AUDITED,
    )
    assert named.test.ids.tolist() == ["a", "b"]


def test_a_frame_is_a_table(load):
    source = load(
        """
        import pandas as pd

        def data():
            rows = range(20)
            return pd.DataFrame({"x": rows, "job": ["a", "b"] * 10, "y": [n % 2 for n in rows]})
        """,
        label="y",
        groups=("job",),
    )
    assert source.encoding.features == ("x", "job=a", "job=b")
    assert set(source.test.groups["job"]) <= {"a", "b"}


DATASET = """
    import numpy as np
    import torch
    from PIL import Image
    from torch.utils.data import DataLoader, Dataset, IterableDataset, SubsetRandomSampler

    class Pairs(Dataset):
        def __len__(self):
            return 11

        def __getitem__(self, row):
            return torch.full((3, 4, 5), row / 255), row % 2

    class Pictures(Pairs):
        def __getitem__(self, row):
            return Image.fromarray(np.full((4, 5), row, dtype=np.uint8)), row % 2

    class Mappings(Pairs):
        def __getitem__(self, row):
            return {"pixels": torch.full((1, 4, 5), row / 255), "y": row % 2}

    class Stream(IterableDataset):
        def __iter__(self):
            for row in range(11):
                yield torch.full((1, 4, 5), row / 255), row % 2

    class Uneven(Pairs):
        def __getitem__(self, row):
            return torch.zeros(1, 4, 5 + row), row % 2

    def pairs(): return Pairs()
    def pictures(): return Pictures()
    def mappings(): return Mappings()
    def stream(): return Stream()
    def uneven(): return Uneven()
    def triples(): return [(1, 2, 3)]
    def empty(): return iter(())
    def loader(): return DataLoader(Pairs(), batch_size=4, shuffle=True, drop_last=True)
    def streamed(): return DataLoader(Stream(), batch_size=4)
    def sampled(): return DataLoader(Pairs(), batch_size=4, sampler=SubsetRandomSampler([1, 2]))
"""


@pytest.mark.parametrize("data_workers", [0, 2])
@pytest.mark.parametrize(
    ("function", "channels", "keys"),
    [
        ("pairs", 3, {}),
        ("pictures", 1, {}),
        ("mappings", 1, {"input": "pixels", "label": "y"}),
        ("stream", 1, {}),
        ("loader", 3, {}),
        ("streamed", 1, {}),
    ],
)
def test_torch_data_in_the_order_of_their_rows(load, function, channels, keys, data_workers):
    source = load(DATASET, function, data_workers, **AUDITED, **keys)
    assert source.test.inputs.shape == (11, 4, 5, channels)
    assert source.test.inputs[:, 0, 0, 0].tolist() == list(range(11))
    assert source.test.labels.tolist() == [row % 2 for row in range(11)]


@pytest.mark.parametrize(
    ("function", "problem"),
    [
        ("sampled", "a DataLoader whose order SubsetRandomSampler decides: return its Dataset"),
        ("uneven", r"inputs of shapes \(1, 4, 5\) and \(1, 4, 6\): give them one shape"),
        ("triples", "Rows of .* are 3 values: give pairs"),
        ("mappings", "Rows of .* have no 'image': there are 'pixels', 'y'"),
        ("empty", "gives no rows"),
    ],
)
def test_torch_data_that_break_the_contract(load, function, problem):
    with pytest.raises(InputError, match=problem):
        load(DATASET, function, **AUDITED)


@pytest.mark.parametrize(
    ("returned", "problem"),
    [
        ("3", "gives a int: return .inputs, labels."),
        ("{'inputs': [[1.0]]}", "gives 'inputs': return .inputs, labels."),
        ("([[1.0]], [0, 1])", r"gives 'labels' of shape \(2,\) for 1 inputs"),
        ("{'trian': ([[1.0]], [0]), 'test': ([[1.0]], [0])}", "a split 'trian': did you mean 'tra"),
        ("1 / 0", r"\(\) failed \(ZeroDivisionError: division by zero\): mend it"),
        ("(__import__('numpy').full((2, 1, 4, 4), 7.5), [0, 1])", "uint8, or floats within"),
    ],
)
def test_functions_that_break_the_contract(load, returned, problem):
    with pytest.raises(InputError, match=problem):
        load(f"def data():\n    return {returned}\n")


def test_splits_of_different_shapes(load):
    with pytest.raises(
        InputError, match=r"train part have the shape \(3,\) and should have \(2,\)"
    ):
        load(
            """
            def data():
                rows = [0, 1] * 5
                return {"train": ([[0.0] * 3] * 10, rows), "test": ([[0.0] * 2] * 10, rows)}
            """
        )


SOURCE = """
    import numpy as np
    import pandas as pd
    from audit.study.sources import Part, Source

    def part(count, start, **changes):
        values = dict(
            inputs=np.zeros((count, 4, 4, 1), dtype=np.uint8),
            labels=np.arange(count) % 2,
            ids=np.arange(start, start + count),
            groups=pd.DataFrame({"sex": ["F", "M"] * (count // 2), "site": ["A"] * count}),
        )
        return Part(**{**values, **changes})

    def data(**changes):
        test = part(6, 0, **changes)
        return Source("image", ("cat", "dog"), part(8, 100), None, test, ("Mine.",))

    def floats(): return data(inputs=np.zeros((6, 4, 4, 1)))
    def short(): return data(labels=np.zeros(5, dtype=int))
    def codes(): return data(labels=np.arange(6))
    def twins(): return data(ids=np.arange(100, 106))
    def absent(): return data(labels=np.zeros(6, dtype=int))
"""


def test_a_source_is_taken_as_it_is(load):
    source = load(SOURCE)
    assert source.notes == ("Mine.",)
    assert list(source.test.groups) == ["sex", "site"]
    narrowed = load(
        SOURCE, groups=("site",), undersample=Undersample(where={"site": "A"}, keep=0.5)
    )
    assert list(narrowed.test.groups) == ["site"]
    assert len(narrowed.train) == 4
    assert "50 % of site=A" in narrowed.notes[-1]
    assert load(SOURCE, "absent").notes[-1].startswith("No test example is of class dog")


@pytest.mark.parametrize(
    ("function", "values", "problem"),
    [
        (
            "floats",
            {},
            "test inputs of type float64 with 4 axes: a Source of kind image needs uint8",
        ),
        ("short", {}, "gives 6 inputs, 5 labels, 6 ids and 6 rows of groups in test"),
        ("codes", {}, "labels in test that are not integers from 0 to 1"),
        ("twins", {}, "gives an id twice"),
        ("data", {"groups": ("sexx",)}, "'sexx', and a Source has its groups ready: did you mean"),
        ("data", {"limit": Limit(test=2)}, "a Source, for which data.limit has no use"),
        ("data", {"classes": ("dog", "cat")}, "gives the classes cat, dog, and data.classes lists"),
    ],
)
def test_a_source_that_does_not_hold_together(load, function, values, problem):
    with pytest.raises(InputError, match=problem):
        load(SOURCE, function, **values)
