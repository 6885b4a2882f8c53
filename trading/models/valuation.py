"""What trades were worth by a cut of knowledge, and why that changed."""

from django.db import models
from django.db.models.functions import Now

from .commodities import CURRENCY_CODE


def _cents(**options: object) -> "models.DecimalField[object, object]":
    return models.DecimalField(max_digits=20, decimal_places=2, **options)


def _amount() -> "models.DecimalField[object, object]":
    return models.DecimalField(max_digits=26, decimal_places=6)


class ValuationRun(models.Model):
    """
    One valuation of all that an organization holds: at a time, by what was known at a cut.

    as_of           splits what is delivered from what is to come; no price of later counts.
    known_at        real time: nothing recorded or published later counts.
    inputs          curves by version and hash, fixings, rates and positions by digest.
    input_hash      SHA-256 over these; `result_hash` over it and every stored value.
    findings        sentences about marks that are missing, carried on, or trades without a value.
    tzdata, code    versions it was computed with; not part of the hashes.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    organization = models.ForeignKey("accounts.Organization", models.PROTECT, related_name="+")
    as_of = models.DateTimeField()
    known_at = models.DateTimeField()
    inputs = models.JSONField()
    input_hash = models.CharField(max_length=64)
    result_hash = models.CharField(max_length=64)
    findings = models.JSONField(default=list)
    trades = models.PositiveIntegerField()
    unvalued = models.PositiveIntegerField()
    tzdata = models.CharField(max_length=16)
    code = models.CharField(max_length=40)
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        permissions = [
            ("value_books", "Can value all books of the organization and explain the day"),
        ]
        indexes = [
            models.Index(fields=["organization", "-as_of", "-id"], name="valuation_run_latest"),
        ]

    def __str__(self) -> str:
        return f"valuation {self.pk} as of {self.as_of:%Y-%m-%d %H:%M}"


class TradeValue(models.Model):
    """
    The value of one trade in one currency, as of the version that held.

    Undiscounted but of options, which are discounted by their pricing model.

    realised    delivered, at its fixing or the mark while there is none, and fees; our side.
    unrealised  still to come, at the mark.
    fees        our cash, paid −; they are in `realised`.
    rate        reporting currency per unit of `currency`.
    is_valued   False where a mark was missing or the product has no pricer: then only what could
                be valued is in the numbers.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    # Found by `trade_value_once`, which begins with it.
    run = models.ForeignKey(ValuationRun, models.PROTECT, related_name="values", db_index=False)
    # Rows are copied from facts by the thousand and never changed: the run's own key is checked,
    # those of facts, which are never deleted, would cost more than the values themselves.
    trade = models.ForeignKey(
        "trading.Trade", models.PROTECT, related_name="+", db_constraint=False
    )
    version = models.ForeignKey(
        "trading.TradeVersion",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    book = models.ForeignKey(
        "trading.Book", models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    counterparty = models.ForeignKey(
        "trading.Counterparty",
        models.PROTECT,
        related_name="+",
        db_index=False,
        db_constraint=False,
    )
    product_kind = models.CharField(max_length=20)
    currency = models.CharField(max_length=3)
    realised = _cents()
    unrealised = _cents()
    fees = _cents()
    reporting_currency = models.CharField(max_length=3)
    rate = models.DecimalField(max_digits=24, decimal_places=12)
    realised_reporting = _cents()
    unrealised_reporting = _cents()
    is_valued = models.BooleanField()

    class Meta:
        constraints = [
            models.UniqueConstraint("run", "trade", "currency", name="trade_value_once"),
            models.CheckConstraint(
                condition=models.Q(
                    currency__regex=CURRENCY_CODE, reporting_currency__regex=CURRENCY_CODE
                ),
                name="trade_value_currency_codes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.trade_id} {self.realised + self.unrealised} {self.currency}"


class OptionGreek(models.Model):
    """
    How the value of an option trade moves with the price of one month in a shape; our side.

    month, shape    of the delivery, first day in the market's calendar
    delta           in `unit` (MWh): as much of the month moves alike; sell it to hedge
    gamma           of delta, per currency/unit by which all months of its side move
    vega            currency per point of volatility: 0.01, of a normal one 1 currency/unit
    theta           currency per day that passes; shared over months by volume
    model           the version it was computed by
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    # As of values: copied from facts by the thousand.
    run = models.ForeignKey(ValuationRun, models.PROTECT, related_name="greeks", db_index=False)
    trade = models.ForeignKey(
        "trading.Trade", models.PROTECT, related_name="+", db_constraint=False
    )
    model = models.ForeignKey(
        "trading.PricingModel", models.PROTECT, related_name="+", db_index=False
    )
    market = models.ForeignKey(
        "trading.Market", models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )
    month = models.DateField()
    shape = models.CharField(max_length=16)
    unit = models.CharField(max_length=12)
    currency = models.CharField(max_length=3)
    delta = _amount()
    gamma = _amount()
    vega = _amount()
    theta = _amount()

    class Meta:
        indexes = [models.Index(fields=["run", "trade"], name="option_greek_of_run")]

    def __str__(self) -> str:
        return f"{self.trade_id} {self.month:%Y-%m} {self.delta} {self.unit}"


class PnlKind(models.TextChoices):
    """Whether a P&L is a look in between, or the one of a closed day."""

    FLASH = "FLASH", "Flash"
    OFFICIAL = "OFFICIAL", "Official"
    RESTATED = "RESTATED", "Restated"


class PnlReport(models.Model):
    """
    The P&L of one book over one day: the change of value between two runs, in steps.

    opening     None where nothing had been valued before.
    number      counted from 1 for the book, day and kind; the highest holds.
    total       closing − opening in the reporting currency; the steps sum to it, to the cent.
    restates    of a restated report, the official one that it stands beside; never in its place.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    day = models.DateField()
    kind = models.CharField(max_length=8, choices=PnlKind)
    number = models.PositiveIntegerField()
    opening = models.ForeignKey(ValuationRun, models.PROTECT, null=True, related_name="+")
    closing = models.ForeignKey(ValuationRun, models.PROTECT, related_name="+")
    restates = models.ForeignKey("self", models.PROTECT, null=True, related_name="restated_by")
    currency = models.CharField(max_length=3)
    opening_value = _cents()
    closing_value = _cents()
    total = _cents()
    content_hash = models.CharField(max_length=64)
    actor_id = models.CharField(max_length=120)
    recorded_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint("book", "day", "kind", "number", name="pnl_report_once"),
            models.CheckConstraint(
                condition=models.Q(total=models.F("closing_value") - models.F("opening_value")),
                name="pnl_report_total_is_the_change",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()} P&L of {self.book_id} on {self.day}"


class PnlStep(models.Model):
    """
    What one cause added to one trade: `amount` in the trade's currency, of it `realised`, and
    `reporting` in the report's currency.

    kind, name  as in `trading.valuation.StepKind`; of PRICE the market, of NEW "late" if the trade
                was agreed before the opening.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(PnlReport, models.PROTECT, related_name="steps")
    trade = models.ForeignKey("trading.Trade", models.PROTECT, related_name="+", db_index=False)
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=32, blank=True)
    currency = models.CharField(max_length=3)
    amount = _cents()
    realised = _cents()
    reporting = _cents()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "report", "trade", "currency", "kind", "name", name="pnl_step_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.reporting}"


class PnlStepTotal(models.Model):
    """
    What one cause added to a whole report: the sum of `reporting` over its steps.

    Months and years are added up from these, not from the steps of every trade.
    """

    append_only = True

    id = models.BigAutoField(primary_key=True)
    report = models.ForeignKey(PnlReport, models.PROTECT, related_name="step_totals")
    kind = models.CharField(max_length=10)
    name = models.CharField(max_length=32, blank=True)
    amount = _cents()

    class Meta:
        constraints = [
            models.UniqueConstraint("report", "kind", "name", name="pnl_step_total_once"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.name} {self.amount}"


class AdjustmentStatus(models.TextChoices):
    """Where an adjustment stands; only an approved one counts."""

    PENDING = "PENDING", "Waits for approval"
    APPROVED = "APPROVED", "Approved"
    REJECTED = "REJECTED", "Rejected"


class PnlAdjustment(models.Model):
    """
    An amount that a person adds to a book's P&L of a day, with a reason; another one approves it.

    amount      in the book's reporting currency, a gain +
    """

    id = models.BigAutoField(primary_key=True)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    day = models.DateField()
    amount = _cents()
    currency = models.CharField(max_length=3)
    reason = models.CharField(max_length=400)
    status = models.CharField(
        max_length=8, choices=AdjustmentStatus, default=AdjustmentStatus.PENDING
    )
    requested_by = models.CharField(max_length=120)
    requested_at = models.DateTimeField(db_default=Now())
    decided_by = models.CharField(max_length=120, blank=True)
    decided_at = models.DateTimeField(null=True)
    decision_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        permissions = [
            ("adjust_pnl", "Can ask for an adjustment of a day's P&L"),
            ("approve_pnl", "Can decide on adjustments that others asked for"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~models.Q(amount=0) & ~models.Q(reason=""),
                name="pnl_adjustment_says_something",
            ),
            models.CheckConstraint(
                condition=models.Q(status="PENDING", decided_by="", decided_at=None)
                | (
                    models.Q(status__in=["APPROVED", "REJECTED"], decided_at__isnull=False)
                    & ~models.Q(decided_by="")
                    & ~models.Q(decided_by=models.F("requested_by"))
                ),
                name="pnl_adjustment_decided_by_another",
            ),
        ]
        indexes = [models.Index(fields=["book", "day"], name="pnl_adjustment_of_day")]

    def __str__(self) -> str:
        return f"{self.amount} {self.currency} on {self.day}"
