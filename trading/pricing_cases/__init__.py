"""Adapters of model validation for `trading.pricing`, a module a family of products."""
