"""Words of limits that tables, services and pages share."""

from enum import StrEnum


class Word(StrEnum):
    """A value as it is stored, with the words that people read."""

    label: str

    def __new__(cls, value: str, label: str = "") -> "Word":
        word = str.__new__(cls, value)
        word._value_ = value
        word.label = label
        return word

    @classmethod
    def choices(cls) -> list[tuple[str, str]]:
        """Return values and labels, for columns and forms."""
        return [(word.value, word.label) for word in cls]


class LimitMeasure(Word):
    """What a limit holds down."""

    VAR = "VAR", "Value at risk"
    ES = "ES", "Expected shortfall"
    NET_VOLUME = "NET_VOLUME", "Net volume of a month"
    GROSS_VOLUME = "GROSS_VOLUME", "Gross volume of a month"
    DELTA = "DELTA", "Delta"
    VEGA = "VEGA", "Vega"
    LOSS = "LOSS", "Loss"
    CONCENTRATION = "CONCENTRATION", "Concentration"
    STRESS = "STRESS", "Worst stress"
    CREDIT_NOTIONAL = "CREDIT_NOTIONAL", "Credit: open notional"
    CREDIT_TENOR = "CREDIT_TENOR", "Credit: tenor"


class LimitScope(Word):
    """Whose number it is: a book's with the books below it, a trader's, or a counterparty's."""

    BOOK = "BOOK", "Book"
    TRADER = "TRADER", "Trader"
    COUNTERPARTY = "COUNTERPARTY", "Counterparty"


class Excess(Word):
    """What an order meets that would go over the limit, or further over it."""

    WARN = "WARN", "Is told"
    SOFT = "SOFT", "Needs a reason"
    HARD = "HARD", "Is stopped"


class LossPeriod(Word):
    """Since when a loss is added up."""

    DAY = "DAY", "Day"
    MONTH = "MONTH", "Month to date"
    YEAR = "YEAR", "Year to date"


class Dimension(Word):
    """Of what the largest part is measured against the whole."""

    COUNTERPARTY = "COUNTERPARTY", "Counterparty"
    MARKET = "MARKET", "Market"
    TENOR = "TENOR", "Delivery year"


class BreachState(Word):
    """How far a breach is in its life."""

    DETECTED = "DETECTED", "Detected"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    ACTION = "ACTION", "Being acted on"
    RESOLVED = "RESOLVED", "Resolved"


class BreachStepKind(Word):
    """What happened to a breach."""

    DETECTED = "DETECTED", "Detected"
    ACKNOWLEDGED = "ACKNOWLEDGED", "Acknowledged"
    ASSIGNED = "ASSIGNED", "Handed over"
    ACTION = "ACTION", "Action"
    NOTE = "NOTE", "Note"
    ESCALATED = "ESCALATED", "Escalated"
    RESOLVED = "RESOLVED", "Resolved"


BREACH_STATES = BreachState.choices()
