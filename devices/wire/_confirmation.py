"""The server's word that messages are stored; until it comes, a device keeps and re-sends them."""

from enum import StrEnum

from msgspec import Struct


class Outcome(StrEnum):
    RECORDED = "RECORDED"
    DUPLICATE = "DUPLICATE"
    REFUSED = "REFUSED"


class Receipt(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """
    What became of one message, named by its `key`.

    RECORDED and DUPLICATE: committed, forget it. REFUSED: never send it again; `code` and
    `detail` say why.
    """

    key: str
    outcome: Outcome
    code: str = ""
    detail: str = ""

    @property
    def is_stored(self) -> bool:
        return self.outcome is not Outcome.REFUSED


class Confirmation(Struct, frozen=True, kw_only=True):
    """Receipts in the order of the messages, sent after the transaction is committed."""

    results: tuple[Receipt, ...]
