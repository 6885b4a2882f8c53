"""Live pages: numbers pushed over websockets after commit. May be lost; the page then re-reads."""

from .publishing import publish

__all__ = ["publish"]
