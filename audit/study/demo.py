"""The two configs that ship with the package: the demo and a commented starter."""

from __future__ import annotations

from pathlib import Path

DEMO = Path(__file__).parent / "configs" / "digits-demo.yaml"
STARTER = Path(__file__).parent / "configs" / "starter.yaml"
