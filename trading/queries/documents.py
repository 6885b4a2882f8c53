"""The files of a trade, without and with their bytes."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from energyopti.accounts.actors import Actor
from trading.models import TradeDocument

from .trades import trade_by_ref


class UnknownDocument(LookupError):
    """The actor's trades have no such file."""


class DocumentDamaged(RuntimeError):
    """The stored bytes are not those that were added."""


def document_rows(trade_id: int) -> QuerySet[Any]:
    """Return what is on file of a trade, withdrawn ones too, without the bytes."""
    rows = TradeDocument.objects.filter(trade_id=trade_id)
    return rows.defer("content").select_related("withdrawal")


def documents_of(trade_id: int) -> list[Any]:
    """Return the same, newest first; one query."""
    return list(document_rows(trade_id).order_by("-id"))


def document_of(actor: Actor, ref: str, uid: UUID) -> Any:
    """
    Return one file of a trade with its bytes.

    :raises PermissionMissing: without `trading.view_tradedocument`.
    :raises UnknownTrade, UnknownDocument: for what the actor does not reach.
    :raises DocumentDamaged: if its bytes do not have the recorded hash.
    """
    actor.require("trading.view_tradedocument")
    version = trade_by_ref(actor, ref)
    found = (
        TradeDocument.objects.filter(trade_id=version.trade_id, uid=uid)
        .select_related("withdrawal", "trade")
        .first()
    )
    if found is None:
        raise UnknownDocument("document: this trade has no such file.")
    if hashlib.sha256(bytes(found.content)).hexdigest() != found.sha256:
        raise DocumentDamaged(f"The bytes of document {found.uid} have changed since it was added.")
    return found
