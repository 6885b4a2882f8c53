"""Names of counterparties, for messages and lists that have their ids."""

from collections.abc import Iterable
from uuid import UUID

from trading.models import Counterparty


def counterparty_codes(counterparty_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return the codes of counterparties."""
    rows = Counterparty.objects.filter(pk__in=list(counterparty_ids))
    return dict(rows.values_list("id", "code"))
