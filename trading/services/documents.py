"""Put files on a trade and withdraw them; nothing is ever changed or removed."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.db import transaction

from energyopti.accounts.actors import Actor
from energyopti.foundation.events.services import record_event
from trading.files import FileRefused, clean_name, media_type_of
from trading.models import DocumentKind, DocumentWithdrawal, Trade, TradeDocument
from trading.queries.documents import UnknownDocument, document_rows
from trading.queries.proposals import TradeInvalid
from trading.queries.trades import trade_by_ref

LARGEST_FILE = 10 * 1024 * 1024
MOST_FILES = 50


def attach_document(
    *, actor: Actor, ref: str, kind: str, name: str, content: bytes, note: str = ""
) -> TradeDocument:
    """
    Put a file on a trade, as it is.

    :raises PermissionMissing: without `trading.add_tradedocument`.
    :raises UnknownTrade: for a trade of a book that the actor does not reach.
    :raises TradeInvalid: for a file that is too large or of a kind that is not taken, for one that
        is on this trade already, and for one too many.
    """
    trade_id = trade_by_ref(actor, ref).trade_id
    actor.require("trading.add_tradedocument")
    if kind not in DocumentKind.values:
        raise TradeInvalid("kind", f"is one of {', '.join(DocumentKind.values)}.")
    if len(note) > 200 or "\x00" in note:
        raise TradeInvalid("note", "at most 200 characters, none of them NUL.")
    if not 0 < len(content) <= LARGEST_FILE:
        raise TradeInvalid("file", f"must have 1 to {LARGEST_FILE:,} bytes.")
    try:
        kept_name = clean_name(name)
        media_type = media_type_of(kept_name, content)
    except FileRefused as error:
        raise TradeInvalid("file", error.rule) from error
    digest = hashlib.sha256(content).hexdigest()
    with transaction.atomic():
        trade = Trade.objects.select_for_update().get(pk=trade_id)
        counting = TradeDocument.objects.filter(trade=trade, withdrawal__isnull=True)
        if counting.filter(sha256=digest).exists():
            raise TradeInvalid("file", f"{trade.ref} has this very file already.")
        if counting.count() >= MOST_FILES:
            raise TradeInvalid("file", f"{trade.ref} has {MOST_FILES} files already.")
        document = TradeDocument.objects.create(
            trade=trade, kind=kind, name=kept_name, note=note.strip(), media_type=media_type,
            size=len(content), sha256=digest, content=content, added_by=actor.id,
            added_by_name=_name(actor),
        )  # fmt: skip
        _tell(actor, trade, document, "trade.document_added")
    return document


def withdraw_document(*, actor: Actor, ref: str, uid: UUID, reason: str) -> TradeDocument:
    """
    Say that a file no longer counts; it stays on record with the reason.

    :raises PermissionMissing: without `trading.add_documentwithdrawal`.
    :raises UnknownTrade, UnknownDocument: for what the actor does not reach.
    :raises TradeInvalid: without a reason, and for a file that was withdrawn before.
    """
    trade_id = trade_by_ref(actor, ref).trade_id
    actor.require("trading.add_documentwithdrawal")
    if not reason.strip() or len(reason) > 400 or "\x00" in reason:
        raise TradeInvalid("reason", "say why, in at most 400 characters.")
    with transaction.atomic():
        trade = Trade.objects.select_for_update().get(pk=trade_id)
        document = document_rows(trade_id).filter(uid=uid).first()
        if document is None:
            raise UnknownDocument("document: this trade has no such file.")
        if hasattr(document, "withdrawal"):
            raise TradeInvalid("document", f"{document.name} was withdrawn before.")
        DocumentWithdrawal.objects.create(
            document=document, reason=reason.strip(), withdrawn_by=actor.id,
            withdrawn_by_name=_name(actor),
        )  # fmt: skip
        _tell(actor, trade, document, "trade.document_withdrawn", reason=reason.strip())
    return document


def _name(actor: Actor) -> str:
    return str(actor.user) if actor.user else actor.id


def _tell(actor: Actor, trade: Trade, document: TradeDocument, type_: str, **more: Any) -> None:
    record_event(
        type=type_,
        actor=actor,
        aggregate_type="trade",
        aggregate_id=trade.ref,
        organization_id=trade.organization_id,
        key=f"book:{trade.book_id}",
        payload={
            "ref": trade.ref,
            "document": str(document.uid),
            "kind": document.kind,
            "name": document.name,
            "media_type": document.media_type,
            "size": document.size,
            "sha256": document.sha256,
            **more,
        },
    )
