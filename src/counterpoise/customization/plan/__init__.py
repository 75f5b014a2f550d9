"""PLAN.yaml: its sections, the phases as training steps, and the grid of cells with what depends on what."""

from counterpoise.customization.plan.document import (
    Align,
    AttackStep,
    Curated,
    Defend,
    Evaluate,
    Plan,
    Reasoning,
    load_plan,
)

__all__ = ["Align", "AttackStep", "Curated", "Defend", "Evaluate", "Plan", "Reasoning", "load_plan"]
