from __future__ import annotations

import io
import json
from pathlib import Path

import datasets
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from audit.evidence.errors import InputError
from audit.study.data_settings import DataSettings, Limit, SplitNames
from audit.study.sources import load_source


def load(path: Path, **values):
    settings = DataSettings(source="datasets", path=str(path), **values)
    return load_source(settings, path.parent)


def png(level: int, size: int = 4) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.full((size, size), level, dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


def write_pictures(path: Path, count: int, metadata: bool = True) -> None:
    """A split as hubs serve it: encoded images, class codes, and a site."""
    table = pa.table(
        {
            "image": pa.array([{"bytes": png(n), "path": f"{n}.png"} for n in range(count)]),
            "label": [n % 2 for n in range(count)],
            "site": [n % 3 for n in range(count)],
            "ward": ["east" if n % 4 else "west" for n in range(count)],
        }
    )
    if metadata:
        features = {
            "image": {"_type": "Image"},
            "label": {"names": ["cat", "dog"], "_type": "ClassLabel"},
            "site": {"names": ["A", "B", "C"], "_type": "ClassLabel"},
            "ward": {"dtype": "string", "_type": "Value"},
        }
        info = json.dumps({"info": {"features": features}})
        table = table.replace_schema_metadata({"huggingface": info})
    pq.write_table(table, path)


@pytest.fixture
def hub_like(tmp_path):
    root = tmp_path / "set"
    root.mkdir()
    write_pictures(root / "train.parquet", 30)
    write_pictures(root / "test.parquet", 12)
    return root


def test_a_folder_of_parquet_files(hub_like):
    source = load(hub_like, groups=("site", "ward"))
    assert source.classes == ("cat", "dog")
    assert source.test.inputs.shape == (12, 4, 4, 1)
    assert source.test.inputs[:, 0, 0, 0].tolist() == list(range(12))
    assert source.test.labels.tolist() == [0, 1] * 6
    assert source.test.ids.tolist() == list(range(12))
    assert source.test.groups["site"].tolist() == ["A", "B", "C"] * 4
    assert source.test.groups["ward"].tolist()[:2] == ["west", "east"]
    assert len(source.train) + len(source.validation) == 30
    assert source.notes == ()


def test_one_file_is_one_split(hub_like):
    source = load(hub_like / "test.parquet", splits=SplitNames(train=None))
    assert len(source.test) == 12
    assert source.train is None


def test_images_are_recognised_without_metadata(tmp_path):
    write_pictures(tmp_path / "x.parquet", 6, metadata=False)
    source = load(tmp_path / "x.parquet", splits=SplitNames(train=None))
    assert source.classes == ("0", "1")
    assert source.test.inputs[5, 0, 0, 0] == 5


def test_nothing_is_written_beside_the_data_nor_kept_elsewhere(hub_like, tmp_path, monkeypatch):
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    before = sorted(hub_like.rglob("*"))
    load(hub_like)
    assert sorted(hub_like.rglob("*")) == before
    assert list(scratch.iterdir()) == []


def test_a_changed_file_is_read_anew_though_its_time_is_the_same(hub_like):
    import os

    path = hub_like / "test.parquet"
    state = path.stat()
    first = load(path, splits=SplitNames(train=None))
    write_pictures(path, 13)
    os.utime(path, ns=(state.st_atime_ns, state.st_mtime_ns))
    assert len(load(path, splits=SplitNames(train=None)).test) == len(first.test) + 1


def test_progress_bars_and_counting_are_off_only_meanwhile(hub_like, monkeypatch):
    seen = []
    original = datasets.load_dataset

    def spy(*arguments, **options):
        bars = datasets.are_progress_bars_disabled()
        seen.append((bars, datasets.config.HF_UPDATE_DOWNLOAD_COUNTS))
        return original(*arguments, **options)

    monkeypatch.setattr(datasets, "load_dataset", spy)
    bars, counts = datasets.are_progress_bars_disabled(), datasets.config.HF_UPDATE_DOWNLOAD_COUNTS
    load(hub_like)
    assert seen == [(True, False)]
    assert datasets.are_progress_bars_disabled() == bars
    assert counts == datasets.config.HF_UPDATE_DOWNLOAD_COUNTS


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".jsonl", ".parquet"])
def test_tables(people, tmp_path, suffix):
    path = tmp_path / f"people{suffix}"
    people = people.fillna({"hours": 0})
    if suffix == ".parquet":
        people.to_parquet(path)
    elif suffix == ".jsonl":
        people.to_json(path, orient="records", lines=True)
    else:
        people.to_csv(path, index=False, sep="\t" if suffix == ".tsv" else ",")
    source = load(path, label="income", groups=("sex",), input=("age", "job"))
    assert source.kind == "table"
    assert source.classes == ("high", "low")
    assert source.encoding.features == ("age", "job=clerk", "job=cook", "job=missing")
    every = load(path, label="income", validation_fraction=0.0)
    assert {"hours", "age", "sex=F"} <= set(every.encoding.features)
    assert len(every.train) == 32
    with pytest.raises(InputError, match=r"data.image_size and data.mode are for pictures"):
        load(path, label="income", image_size=8)


def test_saved_to_disk(tmp_path):
    data = datasets.Dataset.from_dict(
        {"x": [float(n) for n in range(20)], "label": [n % 2 for n in range(20)]}
    )
    data.save_to_disk(tmp_path / "one")
    source = load(tmp_path / "one", input="x", validation_fraction=0.0)
    assert source.encoding.features == ("x",)
    assert len(source.train) == 16


def test_an_image_folder(folder):
    source = load(folder)
    assert source.classes == ("cat", "dog")
    assert source.test.inputs.shape == (8, 5, 4, 1)
    assert source.test.inputs[5, 0, 0, 0] == 101


def test_a_table_that_names_image_files(folder, tmp_path):
    rows = [
        (str(path.relative_to(tmp_path)), path.parent.name)
        for path in sorted(folder.rglob("*.png"))
    ]
    pd.DataFrame(rows, columns=["file", "kind"]).to_csv(tmp_path / "list.csv", index=False)
    source = load(tmp_path / "list.csv", input="file", label="kind", test_fraction=0.5)
    assert source.test.inputs.shape == (10, 5, 4, 1)
    for image, label in zip(source.test.inputs, source.test.labels, strict=True):
        assert image[0, 0, 0] // 100 == label


def test_arrays_in_a_column(tmp_path):
    pixels = np.arange(10 * 3 * 3, dtype=np.uint8).reshape(10, 3, 3)
    features = datasets.Features(
        {"pixels": datasets.Array2D((3, 3), "uint8"), "label": datasets.Value("int64")}
    )
    datasets.Dataset.from_dict(
        {"pixels": pixels, "label": [0, 1] * 5}, features=features
    ).save_to_disk(tmp_path / "arrays")
    source = load(tmp_path / "arrays", input="pixels", splits=SplitNames(train=None))
    np.testing.assert_array_equal(source.test.inputs[..., 0], pixels)


def test_only_rows_within_the_limit_are_decoded(hub_like, monkeypatch):
    opened = []
    original = Image.open
    monkeypatch.setattr(Image, "open", lambda *a, **k: (opened.append(1), original(*a, **k))[1])
    load(hub_like, limit=Limit(train=4, test=2, validation=2))
    assert len(opened) == 8


def test_an_unreadable_image_is_named_by_its_row(hub_like):
    table = pq.read_table(hub_like / "test.parquet")
    cells = table["image"].to_pylist()
    cells[3]["bytes"] = b"broken"
    cells[4] = None
    images = pa.array(cells, type=table.schema.field("image").type)
    pq.write_table(table.set_column(0, "image", images), hub_like / "test.parquet")
    with pytest.raises(InputError, match=r"The image 3.png in row 3 of test cannot be read"):
        load(hub_like)
    source = load(hub_like, unreadable="skip")
    assert source.notes == (
        "2 images were unreadable and left out: 3.png in row 3 of test, in row 4 of test.",
    )
    assert source.test.ids.tolist() == [0, 1, 2, *range(5, 12)]


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({"label": "labl"}, "data.label asks for the column 'labl', .*did you mean 'label'"),
        ({"input": "imgae"}, "data.input asks for the column 'imgae', .*did you mean 'image'"),
        ({"groups": ("wards",)}, "'wards', which is not there: did you mean 'ward'"),
        ({"id": "key"}, "data.id asks for the column 'key'"),
        ({"input": "ward"}, "'ward' is a text column, and '(east|west)' is no image file"),
        ({"splits": SplitNames(test="tst")}, "data.splits.test asks for 'tst', .*mean 'test'"),
        ({"classes": ("cat", "dgo")}, "a class 'dog' that data.classes does not list: did you mea"),
        ({"arguments": {"streaming": True}}, "streaming has no use here"),
        ({"name": "large"}, "datasets cannot read .*large"),
    ],
)
def test_wrong_settings(hub_like, values, problem):
    with pytest.raises(InputError, match=problem):
        load(hub_like, **values)


def test_two_image_columns_need_a_choice(tmp_path):
    cell = {"bytes": png(0), "path": None}
    pq.write_table(pa.table({"a": [cell], "b": [cell], "label": [0]}), tmp_path / "x.parquet")
    with pytest.raises(InputError, match=r"has the image columns a, b: name one as data.input"):
        load(tmp_path / "x.parquet")


def test_a_missing_file_and_a_broken_one(hub_like, tmp_path):
    with pytest.raises(InputError, match=r"There is no file or folder .*sett: did you mean 'set'"):
        load(tmp_path / "sett")
    (tmp_path / "x.parquet").write_bytes(b"PAR1 broken")
    with pytest.raises(InputError, match=r"datasets cannot read .*x.parquet"):
        load(tmp_path / "x.parquet")
    (tmp_path / "x.xls").write_bytes(b"")
    with pytest.raises(InputError, match=r"has a suffix that datasets cannot read"):
        load(tmp_path / "x.xls")


def test_a_hub_name_passes_through(monkeypatch, tmp_path):
    asked = {}

    def load_dataset(path, name, **options):
        asked.update(path=path, name=name, **options)
        rows = {"x": [0.0, 1.0] * 5, "label": [0, 1] * 5}
        return datasets.DatasetDict(
            {split: datasets.Dataset.from_dict(rows) for split in ("train", "test")}
        )

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    settings = DataSettings(
        source="datasets", path="owner/set", name="small", arguments={"revision": "abc"}, input="x"
    )
    assert len(load_source(settings, tmp_path).test) == 10
    assert asked == {"path": "owner/set", "name": "small", "revision": "abc"}


def test_a_misspelt_path_is_not_sought_on_the_hub(hub_like, tmp_path, monkeypatch):
    monkeypatch.setattr(datasets, "load_dataset", lambda *a, **k: pytest.fail("asks the hub"))
    (hub_like / "mnist").mkdir()
    settings = DataSettings(source="datasets", path="set/mnsit")
    with pytest.raises(InputError, match=r"no file or folder .*set/mnsit: did you mean 'mnist'"):
        load_source(settings, tmp_path)


@pytest.mark.parametrize("online", [True, False])
def test_without_a_network_the_library_is_told_so(monkeypatch, tmp_path, online):
    from huggingface_hub import constants

    def resolve(*arguments):
        if not online:
            raise OSError("no name service")
        return ["an address"]

    def load_dataset(*arguments, **options):
        offline.append((constants.HF_HUB_OFFLINE, datasets.config.HF_HUB_OFFLINE))
        raise FileNotFoundError("not cached")

    offline = []
    monkeypatch.setattr("socket.getaddrinfo", resolve)
    monkeypatch.setattr("urllib.request.getproxies", dict)
    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    for module in (constants, datasets.config):
        monkeypatch.setattr(module, "HF_HUB_OFFLINE", False)
    with pytest.raises(InputError, match=r"fetching it from the hub failed"):
        load_source(DataSettings(source="datasets", path="owner/set"), tmp_path)
    assert offline == [(not online, not online)]
    assert not constants.HF_HUB_OFFLINE
    assert not datasets.config.HF_HUB_OFFLINE


def test_a_hub_that_cannot_be_reached_is_one_sentence(monkeypatch, tmp_path):
    def load_dataset(*arguments, **options):
        raise ConnectionError("Couldn't reach 'owner/set' on the Hub (LocalEntryNotFoundError)")

    monkeypatch.setattr(datasets, "load_dataset", load_dataset)
    settings = DataSettings(source="datasets", path="owner/set")
    with pytest.raises(InputError) as caught:
        load_source(settings, tmp_path)
    text = str(caught.value)
    assert text.startswith("'owner/set' is no file or folder in ")
    assert "fetching it from the hub failed (ConnectionError: Couldn't reach" in text
    assert text.endswith("mend data.path, or go online once.")


def test_mnist(real_data):
    source = load_source(
        DataSettings(source="datasets", path="mnist", limit=Limit(train=500, validation=100)),
        real_data,
    )
    assert source.classes == tuple("0123456789")
    assert source.test.inputs.shape == (10_000, 28, 28, 1)
    assert source.test.labels[0] == 7
    assert np.bincount(source.test.labels).tolist() == [
        *(980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
    ]
    assert len(source.train) == 500


def test_cifar10(real_data):
    source = load_source(
        DataSettings(
            source="datasets", path="cifar10", limit=Limit(train=50, validation=50, test=200)
        ),
        real_data,
    )
    assert source.classes[:2] == ("airplane", "automobile")
    assert source.test.inputs.shape == (200, 32, 32, 3)
    assert np.bincount(source.test.labels).tolist() == [20] * 10
