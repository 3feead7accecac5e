from __future__ import annotations

import builtins
import copy
import io
import json
import os
import pickle
import warnings
import zipfile

import onnx
import onnx.helper
import pytest
import torch
from torch import nn

from audit.evidence.errors import InputError, JobError, MissingExtra
from audit.study.checkpoints import check_logits, load_predictor
from audit.study.fingerprint import checkpoint_files
from audit.study.model_settings import ModelFile
from audit.study.weights import measured_sparsity

CLASSES = 3


def network(width: int = 5) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(), nn.Linear(4 * width, CLASSES)
    )


@pytest.fixture
def model():
    torch.manual_seed(0)
    module = network()
    module(torch.randn(8, 1, 4, 4))
    return module.eval()


@pytest.fixture
def inputs():
    return torch.randn(7, 1, 4, 4, generator=torch.Generator().manual_seed(1))


def save(model, path):
    torch.save(model.state_dict(), path)
    return path


def load(path, build=network, **values):
    return load_predictor(
        ModelFile(checkpoint=path.name, **values), build, CLASSES, base=path.parent
    )


def test_a_checkpoint_predicts_as_the_module_that_was_saved(model, inputs, tmp_path):
    loaded = load(save(model, tmp_path / "m.pt"))
    assert torch.equal(loaded(inputs), model(inputs))
    assert not loaded.module.training
    assert loaded.sparsity == measured_sparsity(model.state_dict())


def test_a_pruned_checkpoint_into_the_plain_module(model, inputs, tmp_path):
    nn.utils.prune.random_unstructured(model[3], "weight", amount=0.4)
    loaded = load(save(model, tmp_path / "m.pt"))
    assert torch.equal(loaded(inputs), model(inputs))
    assert torch.equal(loaded.masks["3.weight"], model[3].weight_mask)
    assert loaded.sparsity.nonzero < loaded.sparsity.parameters


def test_half_precision_weights_are_widened(model, inputs, tmp_path):
    loaded = load(save(copy.deepcopy(model).half(), tmp_path / "m.pt"))
    torch.testing.assert_close(loaded(inputs), model(inputs), atol=1e-2, rtol=1e-2)


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A folder with a module next to where the config would be."""
    folder = tmp_path_factory.mktemp("mine")
    (folder / "checkpoints_mine.py").write_text(
        "import torch\n"
        "from torch import nn\n"
        "def narrow(classes, width):\n"
        "    return nn.Sequential(nn.Conv2d(1, width, 3), nn.BatchNorm2d(width), nn.Flatten(),\n"
        "                         nn.Linear(4 * width, classes))\n"
        "def last(model, inputs):\n"
        "    return model(inputs)['logits']\n"
        "def from_file(model, inputs):\n"
        "    assert model.name == 'm.bin'\n"
        "    return torch.zeros(len(inputs), 3)\n"
        "def alone(model, inputs):\n"
        "    assert model is None\n"
        "    return torch.ones(len(inputs), 3)\n"
    )
    return folder


def test_a_model_of_another_shape_brings_its_own_build(inputs, mine):
    smaller = network(2).eval()
    settings = ModelFile(checkpoint="m.pt", build="checkpoints_mine:narrow", arguments={"width": 2})
    save(smaller, mine / "m.pt")
    loaded = load_predictor(settings, network, CLASSES, base=mine, input_shape=(1, 4, 4))
    assert torch.equal(loaded(inputs), smaller(inputs))
    with pytest.raises(InputError, match=r"needs the shape of one input: pass input_shape"):
        load_predictor(settings, network, CLASSES, base=mine)
    wrong = settings.model_copy(update={"arguments": {"depth": 2}})
    with pytest.raises(InputError, match=r"The build checkpoints_mine:narrow of model 'm' failed"):
        load_predictor(wrong, network, CLASSES, base=mine, input_shape=(1, 4, 4))


def test_a_built_in_build(tmp_path):
    import pruners

    made = pruners.build("mlp", (6,), CLASSES, hidden=(4,)).eval()
    save(made, tmp_path / "m.pt")
    settings = ModelFile(checkpoint="m.pt", build="mlp", arguments={"hidden": [4]})
    loaded = load_predictor(settings, None, CLASSES, base=tmp_path, input_shape=(6,))
    rows = torch.randn(3, 6)
    assert torch.equal(loaded(rows), made(rows))
    unknown = settings.model_copy(update={"build": "mpl"})
    with pytest.raises(InputError, match=r"The build mpl of model 'm' failed"):
        load_predictor(unknown, None, CLASSES, base=tmp_path, input_shape=(6,))


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, CLASSES)

    def forward(self, inputs):
        return {"logits": self.inner(inputs)}


def test_predict_takes_the_logits_out(mine):
    module = Wrapped()
    save(module, mine / "m.pt")
    rows = torch.randn(4, 2)
    loaded = load(mine / "m.pt", Wrapped, predict="checkpoints_mine:last")
    assert torch.equal(loaded(rows), module.inner(rows))
    plain = load(mine / "m.pt", Wrapped)
    with pytest.raises(InputError, match=r"gives a dict and no tensor: give `predict`"):
        plain(rows)


def test_predict_without_a_module_gets_the_file_or_nothing(mine):
    (mine / "m.bin").write_bytes(b"anything")
    loaded = load(mine / "m.bin", None, predict="checkpoints_mine:from_file")
    assert loaded(torch.zeros(2, 1)).tolist() == [[0.0] * 3] * 2
    assert loaded.sparsity is None
    alone = load_predictor(
        ModelFile(name="api", predict="checkpoints_mine:alone"), network, CLASSES, base=mine
    )
    assert alone(torch.zeros(1, 1)).tolist() == [[1.0] * 3]


def test_what_cannot_be_loaded(model, tmp_path):
    save(model, tmp_path / "m.pt")
    with pytest.raises(InputError, match=r"'m' is a checkpoint of weights, which need a module"):
        load(tmp_path / "m.pt", None)
    with pytest.raises(InputError, match=r"does not fit Sequential"):
        load(tmp_path / "m.pt", lambda: network(4))
    with pytest.raises(InputError, match=r"has predictions, so there is none to load"):
        load_predictor(ModelFile(predictions="p.csv"), network, CLASSES)


@pytest.mark.parametrize(
    ("outputs", "problem"),
    [
        (torch.zeros(2, 4), r"has 4 outputs and the data have 3 classes: list the classes"),
        (torch.zeros(3, 3), r"outputs of shape \(3, 3\) for 2 inputs"),
        (torch.zeros(2, 3, 1), r"outputs of shape \(2, 3, 1\) for 2 inputs and 3 classes"),
        ((torch.zeros(2, 3),), "gives a tuple and no tensor"),
    ],
)
def test_outputs_that_are_no_logits(outputs, problem):
    with pytest.raises(InputError, match=problem):
        check_logits(outputs, 3, 2, "p0")


@pytest.mark.parametrize("value", [torch.nan, torch.inf, -torch.inf])
def test_logits_that_are_not_finite(value):
    logits = torch.zeros(4, 3)
    logits[2, 1] = value
    with pytest.raises(
        JobError, match=r"'p0' gives logits that are not finite for 1 of 4 inputs, f"
    ):
        check_logits(logits, 3, 4, "p0")
    assert check_logits(logits[:2], 3, 2, "p0") is not None


def export_pt2(model, path, batch=4, dynamic=True):
    shape = ({0: torch.export.Dim("batch")},) if dynamic else None
    example = (torch.randn(batch, 1, 4, 4),)
    torch.export.save(torch.export.export(model, example, dynamic_shapes=shape), path)
    return path


@pytest.mark.parametrize(("batch", "dynamic"), [(4, True), (4, False), (1, False), (7, False)])
def test_an_exported_program_predicts_in_batches_of_any_size(
    model, inputs, tmp_path, batch, dynamic
):
    path = export_pt2(model, tmp_path / "m.pt2", batch, dynamic)
    loaded = load(path, None)
    found = loaded(inputs)
    assert found.shape == (7, CLASSES)
    torch.testing.assert_close(found, model(inputs), rtol=1e-5, atol=1e-6)
    assert loaded.module is None
    assert loaded.sparsity == measured_sparsity(model.state_dict())


@pytest.mark.parametrize("layer", [nn.BatchNorm2d(5), nn.Dropout(0.5)])
def test_a_program_exported_in_training_mode_is_refused(tmp_path, layer):
    module = nn.Sequential(nn.Conv2d(1, 5, 3), layer, nn.Flatten(), nn.Linear(20, 3)).train()
    path = export_pt2(module, tmp_path / "m.pt2", dynamic=False)
    with pytest.raises(
        InputError, match=r"exported in training mode .*is training.*: call model.ev"
    ):
        load(path, None)


class Hostile:
    def __init__(self, mark):
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


def rewritten(path, target, change):
    """A copy of an archive with some members' bytes changed."""
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            new.writestr(name, change(name, old.read(name)))
    return target


def test_a_pickle_inside_an_exported_program_runs_nothing(model, tmp_path):
    mark = tmp_path / "it-ran"
    buffer = io.BytesIO()
    torch.save((Hostile(mark),), buffer)
    path = rewritten(
        export_pt2(model, tmp_path / "m.pt2"),
        tmp_path / "bad.pt2",
        lambda name, content: buffer.getvalue() if "sample_inputs" in name else content,
    )
    with pytest.raises(InputError, match=r"no program of torch.export.save that can be read"):
        load(path, None)
    assert not mark.exists()
    assert "TORCH_FORCE_WEIGHTS_ONLY_LOAD" not in os.environ


@pytest.mark.parametrize(
    "member", ["opaque_obj_0", "custom_obj_0", "../data/constants/opaque_obj_9"]
)
def test_an_object_inside_an_exported_program_is_refused(model, tmp_path, member):
    mark = tmp_path / "it-ran"

    payload = {"path_name": member, "is_param": False, "use_pickle": True, "tensor_meta": None}
    config = json.dumps({"config": {"x": payload}})

    def change(name, content):
        return config if name.endswith("_constants_config.json") else content

    path = rewritten(export_pt2(model, tmp_path / "m.pt2"), tmp_path / "bad.pt2", change)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"archive/data/constants/{member}", pickle.dumps(Hostile(mark)))
    with pytest.raises(InputError, match=r"an object or native code and no tensor, and is refused"):
        load(path, None)
    assert not mark.exists()


def test_files_that_are_no_programs(tmp_path):
    (tmp_path / "m.pt2").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"m.pt2 is no whole .pt2 archive"):
        load(tmp_path / "m.pt2", None)
    with zipfile.ZipFile(tmp_path / "n.pt2", "w") as archive:
        archive.writestr("a", "b")
    with pytest.raises(InputError, match=r"n.pt2 is no program of torch.export.save"):
        load(tmp_path / "n.pt2", None)
    for name in ("x.pt2", "x.onnx"):
        with pytest.raises(InputError, match=r"There is no exported program .*x\."):
            load(tmp_path / name, None)
    (tmp_path / "m.onnx").write_bytes(b"broken")
    with pytest.raises(InputError, match=r"m.onnx is no ONNX model that can be read"):
        load(tmp_path / "m.onnx", None)


class Two(nn.Module):
    def forward(self, first, second):
        return first + second


def test_a_program_with_two_inputs_needs_predict(tmp_path):
    program = torch.export.export(Two(), (torch.ones(2, 3), torch.ones(2, 3)))
    torch.export.save(program, tmp_path / "m.pt2")
    with pytest.raises(
        InputError, match=r"takes 2 inputs, and one batch is needed: give `predict`"
    ):
        load(tmp_path / "m.pt2", None)


@pytest.mark.parametrize(("dynamic", "external"), [(True, True), (False, False)])
def test_onnx_predicts_as_the_module(inputs, tmp_path, dynamic, external):
    model = network(200).eval()  # smaller tensors are not kept in a file of their own
    path = tmp_path / "m.onnx"
    with warnings.catch_warnings():
        # PyTorch's exporter warns about its own parts, which are not ours to mend.
        warnings.simplefilter("ignore", DeprecationWarning)
        warnings.simplefilter("ignore", FutureWarning)
        torch.onnx.export(
            model,
            (torch.randn(4, 1, 4, 4),),
            path,
            dynamo=True,
            dynamic_shapes=({0: torch.export.Dim("batch")},) if dynamic else None,
            external_data=external,
            verbose=False,
        )
    assert len(checkpoint_files(path)) == (2 if external else 1)
    loaded = load(path, None)
    torch.testing.assert_close(loaded(inputs), model(inputs), rtol=1e-4, atol=1e-5)
    assert loaded.sparsity is None


def write_onnx(path, kind, *names):
    """A program that adds its inputs, or casts its only one to float."""
    shape = ["batch", 3]
    operation = "Add" if len(names) > 1 else "Cast"
    options = {} if len(names) > 1 else {"to": onnx.TensorProto.FLOAT}
    graph = onnx.helper.make_graph(
        [onnx.helper.make_node(operation, names, ["logits"], **options)],
        "graph",
        [onnx.helper.make_tensor_value_info(name, kind, shape) for name in names],
        [onnx.helper.make_tensor_value_info("logits", onnx.TensorProto.FLOAT, shape)],
    )
    opset = onnx.helper.make_opsetid("", 17)
    model = onnx.helper.make_model(graph, opset_imports=[opset], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("kind", [onnx.TensorProto.DOUBLE, onnx.TensorProto.FLOAT16])
def test_onnx_gets_floats_of_its_own_width(tmp_path, kind):
    rows = torch.tensor([[0.5, 1.0, -2.0]])
    assert torch.equal(load(write_onnx(tmp_path / "m.onnx", kind, "x"), None)(rows), rows)


def test_onnx_with_two_inputs_or_integers_needs_predict(tmp_path):
    path = write_onnx(tmp_path / "two.onnx", onnx.TensorProto.FLOAT, "x", "y")
    with pytest.raises(InputError, match=r"has 2 inputs and 1 outputs, and one of each is needed"):
        load(path, None)
    path = write_onnx(tmp_path / "bytes.onnx", onnx.TensorProto.UINT8, "x")
    with pytest.raises(InputError, match=r"takes tensor\(uint8\), and inputs here are floats"):
        load(path, None)


def test_a_missing_runtime_names_the_install_line(monkeypatch, tmp_path):
    (tmp_path / "m.onnx").write_bytes(b"x")
    original = builtins.__import__

    def blocked(name, *arguments, **options):
        if name == "onnxruntime":
            raise ImportError(name)
        return original(name, *arguments, **options)

    monkeypatch.setattr(builtins, "__import__", blocked)
    with pytest.raises(MissingExtra, match=r"pip install 'prune-audit\[onnx\]'"):
        load(tmp_path / "m.onnx", None)
