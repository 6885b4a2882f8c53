"""What the engine refuses with."""

from __future__ import annotations


class ScenarioError(ValueError):
    """Raised for what makes no scenarios, or does not fit them; names the argument and the rule."""
