"""Which models of a study are trained at once: all that is fine-tuned from one parent.

What else is in a stack changes the last bits of each of its members, because sums are added up in
another order. So a stack is part of its members' recipes: they name it, it lists methods and
sparsities. Where one member is missing the whole stack is made again, which gives the same bits,
and only what is missing is stored; a further sparsity or method is another stack with new members.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from audit.evidence.address import address, as_json
from audit.study.recipes import Model, Pruned, Stack


def stacked(models: Mapping[str, Model]) -> dict[str, Model]:
    """The same models; those that are fine-tuned from a parent name the stack they are made in."""
    alike: dict[tuple[str, int], list[Pruned]] = {}
    for model in models.values():
        if isinstance(model, Pruned) and can_stack(model):
            alike.setdefault(_start(model), []).append(model)
    named = {start: address(stack_of(members)) for start, members in alike.items()}
    return {
        name: replace(model, stack=named[_start(model)])
        if isinstance(model, Pruned) and can_stack(model)
        else model
        for name, model in models.items()
    }


def can_stack(recipe: Pruned) -> bool:
    """Whether a model begins with its parent's weights and is fine-tuned; other controls are not.

    What methods must be like is for `population_rules` to say.
    """
    return not (recipe.control or recipe.unpaired or recipe.before or recipe.program)


def stack_of(members: Iterable[Pruned]) -> Stack:
    """What names a stack of these models of one parent, in whatever order they come."""
    return Stack(tuple((one.method, one.sparsity) for one in in_order(members)))


def in_order(members: Iterable[Pruned]) -> list[Pruned]:
    """The members as they are stacked: by what they are, not by where a config names them."""
    return sorted(members, key=lambda one: as_json([one.method, one.sparsity]))


def stacks_of(recipes: Iterable[Pruned]) -> dict[tuple[str, int], list[Pruned]]:
    """The members of each stack by parent and draw, without models that are trained alone."""
    found: dict[tuple[str, int], list[Pruned]] = {}
    for recipe in recipes:
        if recipe.stack:
            found.setdefault(_start(recipe), []).append(recipe)
    return found


def made_again(done: Iterable[object], left: Iterable[object]) -> list[Pruned]:
    """Models that are there and are trained once more, for what is missing of their stack."""
    begun = stacks_of(one for one in left if isinstance(one, Pruned))
    there = stacks_of(one for one in done if isinstance(one, Pruned))
    return [one for start, members in there.items() if start in begun for one in members]


def _start(recipe: Pruned) -> tuple[str, int]:
    """What a stack begins with: weights, and the seed of batches and draws."""
    return address(recipe.parent), recipe.draw
