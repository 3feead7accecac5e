"""The arms of a population: what is made of each parent, in which order, and from what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from torch import nn

from pruners.catalogue import retraining_row
from pruners.combinations import name_of
from pruners.members import Kind
from pruners.methods import Method
from pruners.sparsity import check_sparsity

CONTROLS = ("dense", "small_dense")
_PARENT_AGAIN = ("weight_rewinding", "while_training")


@dataclass(frozen=True)
class Arm:
    """One of what is made of each parent.

    Attributes:
        name: Unique among the arms.
        role: What it is.
        method: How it is pruned; of a control: whose retraining it goes through, None for
            fine-tuning; of a small dense net: whose parameters it has.
        sparsity: Requested; 0 for a control.
        before: Name of the arm it starts from, in a chain.
    """

    name: str
    role: Literal["pruned", "control", "small_dense", "dense"]
    method: Method | None = None
    sparsity: float = 0.0
    before: str | None = None

    @property
    def needs_origin(self) -> bool:
        """Whether it cannot be made without knowing how the parent was."""
        if self.role in ("small_dense", "dense"):
            return True
        return self.method is not None and retraining_row(self.method.retraining).origin

    @property
    def from_start(self) -> bool:
        """Whether it begins with the parent's weights before training."""
        return self.method is not None and retraining_row(self.method.retraining).initial


def control_kinds(controls: bool | Sequence[str]) -> tuple[str, ...]:
    """True stands for `dense`, False for none.

    Raises:
        ValueError: A kind that there is not.
    """
    if isinstance(controls, bool):
        return ("dense",) if controls else ()
    kinds = (controls,) if isinstance(controls, str) else tuple(controls)
    for kind in kinds:
        if kind not in CONTROLS:
            raise ValueError(
                f"controls are of the kinds {', '.join(CONTROLS)}, there is no {kind!r}."
            )
    return kinds


def arms_of(
    methods: Sequence[Method],
    sparsities: Sequence[float],
    kinds: Sequence[str],
    *,
    chain: bool,
    paired: bool,
) -> list[Arm]:
    """The controls, and every method at every sparsity.

    Raises:
        TypeError: A method is no `Method`.
        ValueError: A sparsity or a label is there twice, or a chain makes no sense.
    """
    for method in methods:
        if not isinstance(method, Method):
            raise TypeError(f"methods are of pruners.Method, as Method('obd'), got {method!r}.")
    wanted = [check_sparsity(sparsity) for sparsity in sparsities]
    _check_once("Sparsity", wanted, "leave one out")
    labels = [method.label for method in methods]
    _check_once("Method", labels, "give each a name, Method(name=...), or leave one out")
    if 0.0 in wanted:
        raise ValueError("Sparsity 0 prunes nothing: ask for controls=True instead.")
    if chain:
        _check_chain(methods, paired)
        wanted = sorted(wanted)
    arms = []
    if "dense" in kinds:
        arms = _controls(methods) if paired else [Arm("dense", "dense")]
    if "small_dense" in kinds and methods:
        arms += [Arm(f"small_dense@{one}", "small_dense", methods[0], one) for one in wanted]
    for method in methods:
        before = None
        for sparsity in wanted:
            name = f"{method.label}@{sparsity}"
            arms.append(Arm(name, "pruned", method, sparsity, before))
            before = name if chain else None
    return arms


def kind_of(
    kind: Kind | None, parents: Mapping[str, nn.Module] | None, methods: Sequence[Method]
) -> Kind:
    """How the members of one method differ; of None what parents tell, who know no snapshots."""
    if kind is not None:
        if kind not in get_args(Kind):
            raise ValueError(f"kind is one of {', '.join(get_args(Kind))}, got {kind!r}.")
        return kind
    if parents is None or len(parents) < 2 or len({id(model) for model in parents.values()}) > 1:
        return "independent"
    trains = any(retraining_row(method.retraining).trains for method in methods)
    return "one_parent" if trains else "calibration"


def control_retraining(retraining: str) -> str | None:
    """The retraining of the dense control that a method's pruned models are measured against.

    A control has had the training that the pruned models had, and no pruning. After fine-tuning
    (or no retraining) that is the fine-tuned parent. `weight_rewinding` and `while_training` make
    the parent's own training again, from its first step and by its own seed: unpruned, that is the
    parent, bit for bit. They have no other control, and one that was trained on beside it would
    book training that no pruned model had as churn: their floor comes from halves of the parents.
    Any other retraining is gone through unpruned.

    Args:
        retraining: Its name, or that of a function of one's own.

    Returns:
        `fine_tune`, the name as it is, or None where the parent is the control.
    """
    if retraining in ("none", "fine_tune"):
        return "fine_tune"
    return None if retraining in _PARENT_AGAIN else retraining


def _controls(methods: Sequence[Method]) -> list[Arm]:
    """One for each way of retraining that has one; fine-tuned where there are no methods."""
    plain = [Arm("control", "control")]
    found: dict[str, Arm] = {}
    for method in methods:
        name = control_retraining(name_of(method.retraining))
        if name == "fine_tune":
            found["control"] = plain[0]
        elif name is not None:
            label = f"control-{name}" + (f"-{method.rewind:g}" if method.rewind else "")
            found.setdefault(label, Arm(label, "control", method))
    return sorted(found.values(), key=lambda arm: arm.name) if methods else plain


def _check_once(what: str, values: Sequence[object], remedy: str) -> None:
    twice = [value for value in values if values.count(value) > 1]
    if twice:
        raise ValueError(f"{what} {twice[0]!r} is there twice: {remedy}.")


def _check_chain(methods: Sequence[Method], paired: bool) -> None:
    if not paired:
        raise ValueError(
            "In a chain a member starts from the one before, and without parents each has a seed "
            "of its own: give parents, or leave out chain."
        )
    for method in methods:
        if retraining_row(method.retraining).initial:
            raise ValueError(
                f"In a chain a member starts from the one before, and retraining "
                f"{name_of(method.retraining)!r} of {method.label!r} from weights before training: "
                f"use 'weight_rewinding', or leave out chain."
            )
        if method.reenter:
            raise ValueError(
                f"In a chain what is gone stays gone, and {method.label!r} lets weights come back: "
                f"leave out reenter."
            )
