"""A population: every parent pruned by every method to every sparsity, and its controls."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn

from pruners.arms import Arm, arms_of, control_kinds, kind_of
from pruners.masks import Masks
from pruners.members import Kind, Member
from pruners.methods import Method
from pruners.origin import Origin
from pruners.prune import Pruned, prune_and_retrain
from pruners.seeding import stream
from pruners.sparsity import count_of
from pruners.stacked_retraining import Stacking, check_parent, make_stacked
from pruners.training import Curve, Prepare, Training, train

Done = Collection[str] | Mapping[str, tuple[nn.Module, Masks]]


def population(
    parents: Mapping[str, nn.Module] | None,
    inputs: Tensor,
    labels: Tensor,
    methods: Sequence[Method],
    sparsities: Sequence[float],
    training: Training,
    *,
    seeds: Mapping[str, int] | None = None,
    controls: bool | Sequence[str] = True,
    origins: Mapping[str, Origin] | None = None,
    chain: bool = False,
    kind: Kind | None = None,
    done: Done = (),
    prepare: Prepare | None = None,
    device: str | torch.device | None = None,
    stacked: bool = False,
) -> Iterator[Member]:
    """Makes the members one by one, when asked: parent by parent, the control first.

    Args:
        parents: Trained models by name, not changed; None for an unpaired population (Hooker 2019),
            in which each member is trained and pruned from a seed of its own, made of its origin's
            seed and its name, and the control is a dense model that is likewise.
        inputs: Training inputs, as for `train`.
        labels: int64 [n].
        methods: How to prune, with labels that differ.
        sparsities: Fractions to remove, each in (0, 1), no two equal.
        training: How to retrain, the same for all; see `prune_and_retrain`.
        seeds: Seed of the retraining of each parent's members; None: 0, 1, ... in order. A parent's
            members share it, so that they differ from their control by pruning alone.
        controls: Which each parent has: True or `dense` is the parent with the same extra training
            unpruned (one for each retraining, but for those that only give the parent again);
            `small_dense` is, for each sparsity, a narrower dense net with as many parameters as the
            first method leaves, trained as the parent was.
        origins: How each parent was made, by its name, where a retraining or a control goes back to
            that, and where there are no parents.
        chain: Whether each sparsity, in rising order, starts from the model and masks of the one
            before (iterated pruning and retraining; Liebenwein 2021, Lost in Pruning).
        kind: How the members of one method differ; None: `one_parent` (`calibration` where
            nothing is trained) if all parents are one model, else `independent`.
        done: Names of members that exist already and are left out. Where a later one of a chain
            starts from them, a mapping to their model and masks saves making them again.
        prepare: As for `train`.
        device: As for `train`.
        stacked: Whether all that is fine-tuned from one parent is trained at once: several times
            faster for small nets of linear layers, and equal to rounding; the masks' notes say so.

    Raises:
        ValueError: At the call for what is wrong with the arguments; while iterating as
            `prune_and_retrain` does.
    """
    kinds = control_kinds(controls)
    names = list(_sources(parents, origins))
    arms = arms_of(methods, sparsities, kinds, chain=chain, paired=parents is not None)
    chosen = _seeds(names, seeds, origins if parents is None else None)
    found = kind_of(kind, parents, methods)
    shown = inputs[:1] if prepare is None else prepare(inputs[:1])
    makers = [
        _Maker(
            name,
            None if parents is None else parents[name],
            (origins or {}).get(name),
            chosen[name],
            found,
            _Data(inputs, labels, training, prepare, device, shown),
            stacked,
        )
        for name in names
    ]
    for maker in makers:
        maker.check(arms)
    return (member for maker in makers for member in maker.members(arms, done))


@dataclass(frozen=True)
class _Data:
    inputs: Tensor
    labels: Tensor
    training: Training
    prepare: Prepare | None
    device: str | torch.device | None
    example: Tensor


@dataclass(frozen=True)
class _Maker:
    """Makes the members of one parent, or of one origin where there is none."""

    name: str
    parent: nn.Module | None
    origin: Origin | None
    seed: int
    kind: Kind
    data: _Data
    stacked: bool

    def check(self, arms: Sequence[Arm]) -> None:
        """Refuses now what would fail only when its turn comes."""
        if self.stacked:
            check_parent(self.parent)
        for arm in arms:
            if arm.needs_origin and self.origin is None:
                raise ValueError(
                    f"{self.name}/{arm.name} goes back to the training of parent {self.name!r}, "
                    f"and nothing says how that was: give origins={{{self.name!r}: Origin(...)}}."
                )
            if arm.role == "small_dense" and self.origin and self.origin.narrow is None:
                raise ValueError(
                    f"The origin of {self.name!r} does not say how a narrower net is built, which "
                    f"the control small_dense is: make it with make_origin, or give it `narrow`."
                )

    def members(self, arms: Sequence[Arm], done: Done) -> Iterator[Member]:
        """All arms in order, without those that are done."""
        made: dict[str, Pruned] = {}
        together = self._together([arm for arm in arms if self._name(arm) not in done])
        for position, arm in enumerate(arms):
            name, before = self._name(arm), made.pop(arm.before or "", None)
            if name not in done:
                pruned = together.pop(arm.name, None) or self._make(arm, before)
                made[arm.name] = pruned
                yield self._member(arm, pruned)
            elif self._leads_on(arm, arms[position + 1 :], done):
                made[arm.name] = self._again(arm, before, done)

    def _together(self, arms: Sequence[Arm]) -> dict[str, Pruned]:
        """What can be trained in one stack, where that is asked for, by the names of the arms."""
        if not self.stacked or self.parent is None:
            return {}
        data, seed = self.data, self.seed
        how = Stacking(prepare=data.prepare, device=data.device)
        return make_stacked(
            self.parent, data.inputs, data.labels, arms, data.training, seed=seed, **how
        )

    def _name(self, arm: Arm) -> str:
        return f"{self.name}/{arm.name}"

    def _seed(self, arm: Arm) -> int:
        """Of the parent's members; where there is no parent, each member's own."""
        return self.seed if self.parent is not None else stream(self.seed, self._name(arm))

    def _leads_on(self, arm: Arm, later: Sequence[Arm], done: Done) -> bool:
        """Whether a member that is not made yet starts from this one, or from one that does."""
        chained = any(one.before == arm.name for one in later)
        same = [one for one in later if one.role == arm.role and one.method == arm.method]
        return chained and any(self._name(one) not in done for one in same)

    def _again(self, arm: Arm, before: Pruned | None, done: Done) -> Pruned:
        """A member of a chain that is done and that others start from."""
        if not isinstance(done, Mapping):
            return self._make(arm, before)
        model, masks = done[self._name(arm)]
        return Pruned(model, masks, Curve(), masks.sparsities(model))

    def _make(self, arm: Arm, before: Pruned | None) -> Pruned:
        if arm.role == "small_dense":
            return self._small(arm)
        parent, origin, seed = self.parent, self.origin, self._seed(arm)
        if parent is None:
            origin = _known(origin, self.name).redrawn(seed)
            parent = origin.build()
            if not arm.from_start:
                curve = self._train(parent, origin)
                if arm.role == "dense":
                    return _unpruned(parent, curve)
        data = self.data
        return prune_and_retrain(
            parent if before is None else before.model,
            data.inputs,
            data.labels,
            arm.method,
            0.0 if arm.role == "control" else arm.sparsity,
            data.training,
            seed=seed,
            prepare=data.prepare,
            device=data.device,
            origin=origin,
            before=None if before is None else before.masks,
        )

    def _small(self, arm: Arm) -> Pruned:
        """A dense net with as many parameters as stay, trained as the parent was."""
        origin, method = _known(self.origin, self.name), arm.method
        if origin.narrow is None or method is None:
            raise ValueError(
                f"The origin of {self.name!r} does not say how a net is made narrower."
            )
        model = self.parent if self.parent is not None else origin.build()
        whole = Masks.dense(model, method.protect, biases=method.biases).sparsities(model)
        of = whole.parameters if method.count == "all" else whole.targeted_weights
        # By the parent's own seed, which an unpaired one does not have.
        seed = origin.seed if self.parent is not None else self._seed(arm)
        small = origin.narrow(whole.parameters - count_of(arm.sparsity, of), seed)
        return _unpruned(small, self._train(small, replace(origin, seed=seed)))

    def _train(self, model: nn.Module, origin: Origin) -> Curve:
        data = self.data
        return train(
            model,
            data.inputs,
            data.labels,
            origin.training,
            seed=origin.seed,
            prepare=data.prepare,
            device=data.device,
        )

    def _member(self, arm: Arm, made: Pruned) -> Member:
        return Member(
            name=self._name(arm),
            parent=None if self.parent is None else self.name,
            role="control" if arm.role == "small_dense" else arm.role,
            method=arm.method.label if arm.role == "pruned" and arm.method else None,
            sparsity=arm.sparsity,
            seed=self._seed(arm),
            model=made.model,
            masks=made.masks,
            sparsities=made.sparsities,
            curve=made.curve,
            control=_CONTROL_OF.get(arm.role),
            kind=self.kind,
            before=None if arm.before is None else f"{self.name}/{arm.before}",
            example=self.data.example,
        )


_CONTROL_OF: dict[str, Literal["dense", "small_dense"]] = {
    "control": "dense",
    "small_dense": "small_dense",
}


def _known(origin: Origin | None, name: str) -> Origin:
    if origin is None:
        raise ValueError(f"Nothing says how {name!r} was made: give origins={{{name!r}: ...}}.")
    return origin


def _unpruned(model: nn.Module, curve: Curve) -> Pruned:
    masks = Masks.dense(model, ())
    return Pruned(model, masks, curve, masks.sparsities(model))


def _sources(
    parents: Mapping[str, nn.Module] | None, origins: Mapping[str, Origin] | None
) -> Collection[str]:
    if parents is not None:
        strange = [name for name in origins or () if name not in parents]
        if strange:
            raise ValueError(f"There is no parent {strange[0]!r} for the origin of that name.")
        return parents
    if not origins:
        raise ValueError("A population without parents needs origins to train its members from.")
    return origins


def _seeds(
    names: Sequence[str],
    seeds: Mapping[str, int] | None,
    origins: Mapping[str, Origin] | None,
) -> Mapping[str, int]:
    if origins is not None:
        if seeds is not None:
            raise ValueError(
                "Members without parents have seeds made of their origin's and their name: leave "
                "out seeds."
            )
        return {name: origins[name].seed for name in names}
    chosen = dict(zip(names, range(len(names)), strict=True)) if seeds is None else seeds
    missing = [name for name in names if name not in chosen]
    if missing:
        raise ValueError(f"There is no seed for parent {missing[0]!r}: give one for each parent.")
    return chosen
