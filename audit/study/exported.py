"""Runs exported programs, PyTorch's `.pt2` and ONNX: the file that ships is the file audited.

A program is code. Pickled objects in a `.pt2` are refused, but what PyTorch or ONNX Runtime makes
of the rest is theirs to answer for: open only programs from people whose code you would run.
"""

from __future__ import annotations

import json
import logging
import os
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from audit.evidence.errors import InputError, MissingExtra

# Members of a `.pt2` that hold objects other than tensors, and native code.
_OBJECTS = ("custom_obj_", "opaque_obj_")
_NATIVE = (".so", ".dll", ".dylib", ".pyd")
# Operators that act otherwise in training, and the position of the argument that says so.
_TRAINING_ARGUMENT = {"aten.batch_norm.default": 5, "aten.dropout.default": 2}
_ONNX_FLOATS = {
    "tensor(double)": torch.float64,
    "tensor(float)": torch.float32,
    "tensor(float16)": torch.float16,
}


@dataclass(frozen=True)
class Exported:
    """A program that predicts.

    Attributes:
        run: float32 inputs [N, ...] to outputs.
        state: Its weights by name; None where the format does not give them out.
    """

    run: Callable[[Tensor], Any]
    state: Mapping[str, Tensor] | None


def read_pt2(path: Path, device: str = "cpu") -> Exported:
    """A program written by `torch.export.save`.

    Raises:
        InputError: It is no such file, holds pickled objects or native code, or was exported in
            training mode.
    """
    _refuse_objects(path)
    try:
        with _tensors_only():
            program = torch.export.load(path)
    except Exception as error:
        raise InputError(
            f"{path} is no program of torch.export.save that can be read ({_first(error)}): export "
            "it again with this version of PyTorch."
        ) from error
    _refuse_training_mode(path, program)
    if device != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    run = program.module()
    return Exported(_in_batches_of(_batch_of(program), run), dict(program.state_dict))


def read_onnx(path: Path) -> Exported:
    """A program in ONNX, run by ONNX Runtime on the CPU.

    Raises:
        MissingExtra: ONNX Runtime is not installed.
        InputError: It is no such file, has more than one input or output, or takes no floats.
    """
    try:
        import onnxruntime
    except ImportError as error:
        raise MissingExtra("onnxruntime", "onnx", f"The ONNX model {path}") from error
    _refuse_absent(path)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()  # more threads add up in another order
    options.log_severity_level = 3
    try:
        session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:
        raise InputError(
            f"{path} is no ONNX model that can be read ({_first(error)}): export it again."
        ) from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise InputError(
            f"{path} has {len(inputs)} inputs and {len(outputs)} outputs, and one of each is "
            "needed: give `predict`, a function that chooses."
        )
    dtype = _ONNX_FLOATS.get(inputs[0].type)
    if dtype is None:
        raise InputError(
            f"{path} takes {inputs[0].type}, and inputs here are floats: give `predict`, a "
            "function that converts."
        )
    name = inputs[0].name

    def run(batch: Tensor) -> Tensor:
        array = batch.detach().cpu().to(dtype).numpy()
        return torch.from_numpy(session.run(None, {name: array})[0]).to(batch.device)

    size = inputs[0].shape[0] if inputs[0].shape else None
    return Exported(_in_batches_of(size if isinstance(size, int) else None, run), None)


def _refuse_absent(path: Path) -> None:
    if not path.is_file():
        raise InputError(f"There is no exported program {path}: mend its path in the config.")


def _refuse_objects(path: Path) -> None:
    """Looks inside before PyTorch does: it unpickles these without asking."""
    _refuse_absent(path)
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.namelist()
            named = [*members, *(one for name in members for one in _payloads(archive, name))]
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise InputError(f"{path} is no whole .pt2 archive ({error}): copy it again.") from error
    for name in named:
        last = name.rpartition("/")[2]
        if last.startswith(_OBJECTS) or last.endswith(_NATIVE) or "aotinductor" in name:
            raise InputError(
                f"{path} holds {name}, an object or native code and no tensor, and is refused, "
                "because reading it could run code: export the plain module with torch.export."
            )


def _payloads(archive: zipfile.ZipFile, member: str) -> Iterator[str]:
    if member.endswith("_config.json"):
        config = json.loads(archive.read(member)).get("config", {})
        yield from (str(one.get("path_name", "")) for one in config.values())


@contextmanager
def _tensors_only() -> Iterator[None]:
    # PyTorch loads some payloads of a `.pt2` with weights_only=False; this switch overrides it.
    key = "TORCH_FORCE_WEIGHTS_ONLY_LOAD"
    before, log = os.environ.get(key), logging.getLogger("torch.export")
    was_disabled, log.disabled = log.disabled, True  # it prints a traceback before it raises
    os.environ[key] = "1"
    try:
        yield
    finally:
        log.disabled = was_disabled
        if before is None:
            del os.environ[key]
        else:
            os.environ[key] = before


def _refuse_training_mode(path: Path, program: Any) -> None:
    for node in program.graph.nodes:
        position = _TRAINING_ARGUMENT.get(str(node.target))
        if position is not None and len(node.args) > position and node.args[position] is True:
            raise InputError(
                f"{path} was exported in training mode ({node.target} is training): call "
                "model.eval() before torch.export.export."
            )


def _batch_of(program: Any) -> int | None:
    """The number of rows that the program insists on; None where it takes any."""
    inputs = [spec.arg.name for spec in program.graph_signature.input_specs if _is_user(spec)]
    shapes = [
        node.meta["val"].shape
        for node in program.graph.nodes
        if node.op == "placeholder" and node.name in inputs
    ]
    if len(shapes) != 1 or not len(shapes[0]):
        raise InputError(
            f"The exported program takes {len(shapes)} inputs, and one batch is needed: give "
            "`predict`, a function that fills in the others."
        )
    return int(shapes[0][0]) if isinstance(shapes[0][0], int) else None


def _is_user(spec: Any) -> bool:
    return str(getattr(spec.kind, "name", spec.kind)) == "USER_INPUT"


def _in_batches_of(size: int | None, run: Callable[[Tensor], Any]) -> Callable[[Tensor], Any]:
    """Splits inputs into the batches that a program with a fixed batch takes."""
    if size is None:
        return run

    def run_whole(inputs: Tensor) -> Any:
        outputs = []
        for batch in torch.split(inputs, size):
            # The last batch is filled up with its own last row; what comes of that is dropped.
            filled = torch.cat([batch, batch[-1:].expand(size - len(batch), *batch.shape[1:])])
            found = run(filled)
            if not isinstance(found, Tensor):
                return found  # the check of the logits says what is wrong with it
            outputs.append(found[: len(batch)])
        return torch.cat(outputs)

    return run_whole


def _first(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0][:200]}" if lines else type(error).__name__
