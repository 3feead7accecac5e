from __future__ import annotations

import os
import subprocess
import sys

import pytest

from audit.evidence.errors import InputError
from audit.study import fingerprint as module
from audit.study.data_settings import DataSettings
from audit.study.fingerprint import checkpoint_files, checkpoint_fingerprint, fingerprint

PINNED = "c1d4b90f8accc05d5519d1c82e93fedbc3caa3bba0ec0bd1ab950d06d80aaa34"


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "set" / "a").mkdir(parents=True)
    (tmp_path / "set" / "a" / "1.png").write_bytes(b"one")
    (tmp_path / "set" / "a" / "2.png").write_bytes(b"two")
    return tmp_path / "set"


def of(base, **values):
    return fingerprint(DataSettings(**{"source": "folder", "path": "set", **values}), base)


def test_the_same_twice_and_after_a_move(folder, tmp_path):
    first = of(tmp_path)
    assert len(first) == 64
    assert of(tmp_path) == first
    folder.rename(tmp_path / "moved")
    assert of(tmp_path, path="moved") == first
    assert of(tmp_path, path=str(tmp_path / "moved")) == first


def test_defaults_written_out_change_nothing_and_settings_do(folder, tmp_path):
    first = of(tmp_path)
    assert of(tmp_path, unreadable="fail", splits={"test": "test"}) == first
    assert of(tmp_path, labels="corrected.csv") == first  # no array is made of them
    others = [
        of(tmp_path, unreadable="skip"),
        of(tmp_path, split_seed=1),
        of(tmp_path, splits={"train": None}),
        of(tmp_path, groups=("x",)),
    ]
    assert len({first, *others}) == 5


def test_contents_and_names_count_and_times_do_not(folder, tmp_path):
    seen = {of(tmp_path)}
    os.utime(folder / "a" / "1.png", (1, 1))
    assert {of(tmp_path)} == seen
    (folder / "a" / "1.png").write_bytes(b"ONE")
    seen.add(of(tmp_path))
    (folder / "a" / "2.png").rename(folder / "a" / "3.png")
    seen.add(of(tmp_path))
    (folder / "a" / "4.png").write_bytes(b"")
    seen.add(of(tmp_path))
    (folder / "a" / "1.png").write_bytes(b"ONEt")  # bytes that moved from one file to the next
    (folder / "a" / "3.png").write_bytes(b"wo")
    seen.add(of(tmp_path))
    assert len(seen) == 5
    before = of(tmp_path)
    (folder / ".cache").mkdir()
    (folder / ".cache" / "x").write_bytes(b"")
    assert of(tmp_path) == before


def test_one_file_that_reads_like_two_is_one(folder, tmp_path):
    (folder / "a" / "1.png").write_bytes(b"one\nfile a/2.png\ntwo")
    (folder / "a" / "2.png").unlink()
    (tmp_path / "both" / "a").mkdir(parents=True)
    (tmp_path / "both" / "a" / "1.png").write_bytes(b"one")
    (tmp_path / "both" / "a" / "2.png").write_bytes(b"two")
    assert of(tmp_path) != of(tmp_path, path="both")


def test_a_single_file_counts_by_name_and_content(tmp_path):
    (tmp_path / "x.csv").write_text("a\n")
    (tmp_path / "y.csv").write_text("a\n")
    found = {of(tmp_path, source="table", path=name) for name in ("x.csv", "y.csv")}
    (tmp_path / "x.csv").write_text("b\n")
    found.add(of(tmp_path, source="table", path="x.csv"))
    assert len(found) == 3


def test_code_counts(tmp_path):
    (tmp_path / "fingerprint_mine.py").write_text("def data(): ...\n")
    settings = {"source": "fingerprint_mine:data", "path": None}
    first = of(tmp_path, **settings)
    (tmp_path / "fingerprint_mine.py").write_text("def data(): return 1\n")
    assert of(tmp_path, **settings) != first
    grouped = of(tmp_path, source="digits", path=None, groups=("fingerprint_mine:data",))
    (tmp_path / "fingerprint_mine.py").write_text("def data(): return 2\n")
    assert grouped != of(tmp_path, source="digits", path=None, groups=("fingerprint_mine:data",))
    assert of(tmp_path, source="digits", path=None, groups=("a column: odd",))
    with pytest.raises(InputError, match=r"There is no module 'fingerprint_nowhere'"):
        of(tmp_path, source="fingerprint_nowhere:data", path=None)


def test_what_a_function_reads_counts(tmp_path):
    (tmp_path / "fingerprint_reads.py").write_text("def data(path): ...\n")
    (tmp_path / "x.npy").write_bytes(b"1")
    settings = {"source": "fingerprint_reads:data", "path": "x.npy"}
    first = of(tmp_path, **settings)
    (tmp_path / "x.npy").write_bytes(b"2")
    assert of(tmp_path, **settings) != first


def test_a_hub_name_counts_as_it_is_written(tmp_path):
    def hub(**values):
        return of(tmp_path, **{"source": "datasets", "path": "owner/set", **values})

    found = {hub(), hub(name="small"), hub(path="owner/other"), hub(arguments={"revision": "1"})}
    assert len(found) == 4
    assert hub() == hub()


def test_large_folders_count_by_name_size_and_time(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(module, "LARGEST_READ", 5)
    first = of(tmp_path)
    os.utime(folder / "a" / "1.png", (1, 1))
    assert of(tmp_path) != first


def test_torchvision_counts_only_its_own_folder(tmp_path):
    def of_mnist():
        return of(tmp_path, source="torchvision", path=".", name="MNIST")

    empty = of_mnist()
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "x").write_bytes(b"x")
    assert of_mnist() == empty
    (tmp_path / "MNIST").mkdir()
    (tmp_path / "MNIST" / "x").write_bytes(b"x")
    assert of_mnist() != empty


def test_missing_files(tmp_path):
    with pytest.raises(InputError, match=r"There is no file or folder .*set"):
        of(tmp_path)


def test_digits_need_no_torch_nor_scikit_learn_itself():
    code = (
        "import sys; from pathlib import Path\n"
        "from audit.study.fingerprint import fingerprint\n"
        "from audit.study.data_settings import DataSettings\n"
        "print(fingerprint(DataSettings(source='digits'), Path()))\n"
        "print([name for name in ('torch', 'sklearn', 'datasets', 'PIL') if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, loaded = done.stdout.split("\n")[:2]
    assert loaded == "[]"
    assert first == PINNED


def test_a_checkpoint_counts_by_content(tmp_path):
    (tmp_path / "a.pt").write_bytes(b"1")
    (tmp_path / "b.pt").write_bytes(b"1")
    assert checkpoint_fingerprint(tmp_path / "a.pt") == checkpoint_fingerprint(tmp_path / "b.pt")
    (tmp_path / "b.pt").write_bytes(b"2")
    assert checkpoint_fingerprint(tmp_path / "a.pt") != checkpoint_fingerprint(tmp_path / "b.pt")
    with pytest.raises(InputError, match=r"There is no checkpoint .*c.pt"):
        checkpoint_fingerprint(tmp_path / "c.pt")


def test_onnx_weights_in_another_file_count(tmp_path):
    entry = b"....\x0a\x08location\x12\x09m.weights...."
    (tmp_path / "m.onnx").write_bytes(entry * 2)
    with pytest.raises(InputError, match=r"keeps its weights in m.weights, which is not beside it"):
        checkpoint_files(tmp_path / "m.onnx")
    (tmp_path / "m.weights").write_bytes(b"1")
    assert checkpoint_files(tmp_path / "m.onnx") == (tmp_path / "m.onnx", tmp_path / "m.weights")
    first = checkpoint_fingerprint(tmp_path / "m.onnx")
    (tmp_path / "m.weights").write_bytes(b"2")
    assert checkpoint_fingerprint(tmp_path / "m.onnx") != first
