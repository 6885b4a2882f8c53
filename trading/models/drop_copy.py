"""Drop copies: venues that tell of our executions by FIX, what their words mean, and an inbox."""

import uuid
from enum import StrEnum

from django.db import models
from django.db.models.functions import Now

from energyopti.accounts.models import OwnedQuerySet

from .commodities import check_currency


class OfVenueQuerySet(OwnedQuerySet):
    organization_path = "venue__organization_id"


class SequenceReset(models.TextChoices):
    """Whether sequence numbers may begin again at 1 with a Logon."""

    REFUSE = "REFUSE", "Refuse, and tell a person"
    ACCEPT = "ACCEPT", "Accept when the venue does it"
    REQUEST = "REQUEST", "Ask for it with every Logon"


class MultilegReports(models.TextChoices):
    """What one report of several legs (NoLegs, 555) is."""

    WAIT = "WAIT", "Waits for a person"
    PACKAGE = "PACKAGE", "A package of deals, one for each leg"
    APART = "APART", "No execution: its legs come as reports of their own"


class DropCopyVenue(models.Model):
    """
    A venue that sends an organization copies of its executions, over one FIX 4.4 session.

    code            names the session, its lease and the files of its secrets.
    mic             ISO 10383 code of the exchange, where a report has no LastMkt (30).
    time_zone       in which the venue counts its days, where a report has no TradeDate (75).
    multileg        what a report of several legs is; booked twice where the venue sends both.
    clearing_house  the counterparty of what is cleared, unless the report names another.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    organization = models.ForeignKey(
        "accounts.Organization", models.PROTECT, related_name="drop_copy_venues"
    )
    code = models.CharField(max_length=16)
    name = models.CharField(max_length=120)
    mic = models.CharField("MIC", max_length=4, blank=True)
    time_zone = models.CharField(max_length=64, default="UTC")
    host = models.CharField(max_length=255)
    port = models.PositiveIntegerField()
    use_tls = models.BooleanField(default=True)
    sender_comp_id = models.CharField(max_length=64)
    target_comp_id = models.CharField(max_length=64)
    username = models.CharField(max_length=64, blank=True)
    heartbeat_seconds = models.PositiveSmallIntegerField(default=30)
    clock_skew_seconds = models.PositiveSmallIntegerField(default=120)
    sequence_reset = models.CharField(
        max_length=8, choices=SequenceReset, default=SequenceReset.REFUSE
    )
    multileg = models.CharField(max_length=8, choices=MultilegReports, default=MultilegReports.WAIT)
    clearing_house = models.ForeignKey(
        "trading.Counterparty", models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = OwnedQuerySet.as_manager()

    class Meta:
        permissions = [
            ("view_drop_copy", "Can see drop copies and their inbox"),
            ("manage_drop_copy", "Can set up drop copies, their mappings and sessions"),
        ]
        constraints = [
            # Across organizations: the code also names the lease and the secrets of the process.
            models.UniqueConstraint(models.functions.Upper("code"), name="drop_copy_venue_once"),
            models.CheckConstraint(
                condition=models.Q(code__regex="^[A-Za-z0-9][A-Za-z0-9_-]*$"),
                name="drop_copy_venue_code_is_one_word",
            ),
            models.CheckConstraint(
                condition=models.Q(mic="") | models.Q(mic__regex="^[A-Z0-9]{4}$"),
                name="drop_copy_venue_mic",
            ),
            models.CheckConstraint(
                condition=models.Q(heartbeat_seconds__gte=1, heartbeat_seconds__lte=3600),
                name="drop_copy_venue_heartbeat",
            ),
            models.CheckConstraint(
                condition=models.Q(port__gte=1, port__lte=65535), name="drop_copy_venue_port"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.code} – {self.name}"


class DropCopySession(models.Model):
    """
    Where the session of a venue stands; moved in the transaction that books what it is about.

    next_incoming, next_outgoing    sequence numbers (34).
    latest_alert    the last thing a person was told since the last Logon; not told twice.
    """

    venue = models.OneToOneField(
        DropCopyVenue, models.CASCADE, primary_key=True, related_name="session"
    )
    next_incoming = models.PositiveBigIntegerField(default=1)
    next_outgoing = models.PositiveBigIntegerField(default=1)
    connected_at = models.DateTimeField(null=True, blank=True)
    disconnected_at = models.DateTimeField(null=True, blank=True)
    received_at = models.DateTimeField(null=True, blank=True)
    latest_alert = models.CharField(max_length=400, blank=True)

    objects = OfVenueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=models.Q(next_incoming__gte=1, next_outgoing__gte=1),
                name="drop_copy_session_numbers_from_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.venue_id}: {self.next_incoming} in, {self.next_outgoing} out"


class DropCopyProductKind(models.TextChoices):
    """The kinds of deal that an execution can be."""

    FUTURE = "FUTURE", "Future"
    FINANCIAL_FORWARD = "FINANCIAL_FORWARD", "Financial forward"
    PHYSICAL_FORWARD = "PHYSICAL_FORWARD", "Physical forward"


class DropCopyPeriodRule(models.TextChoices):
    """What a maturity means: the start of a delivery of this length."""

    FIXED = "FIXED", "The period of the mapping"
    DAY = "DAY", "Day"
    WEEK = "WEEK", "Week from Monday"
    MONTH = "MONTH", "Month"
    QUARTER = "QUARTER", "Quarter"
    SEASON = "SEASON", "Season"
    GAS_YEAR = "GAS_YEAR", "Gas year"
    YEAR = "YEAR", "Calendar year"


class DropCopyProduct(models.Model):
    """
    What a venue's instrument is here.

    symbol, security_id, cfi    of the report (55, 48, start of 461); empty matches any. Of several
                                that match the one that says most holds; a tie is refused.
    period, month_offset        by `period_rule`: a period's name, or the months from the maturity
                                to the first month of delivery.
    lot_size, lot_unit, lot_frequency   of one unit of LastQty (32): 1 MW by the hour, 1000 bbl a
                                month. Not in lots: `lots` false, size still multiplies.
    price_scale                 from LastPx (31) to the currency: 0.01 for pence.
    """

    venue = models.ForeignKey(DropCopyVenue, models.CASCADE, related_name="products")
    symbol = models.CharField(max_length=64, blank=True)
    security_id = models.CharField(max_length=64, blank=True)
    cfi = models.CharField("CFI", max_length=6, blank=True)
    market = models.ForeignKey("trading.Market", models.PROTECT, related_name="+")
    product_kind = models.CharField(max_length=20, choices=DropCopyProductKind)
    shape = models.CharField(max_length=16, default="BASE")
    period_rule = models.CharField(max_length=10, choices=DropCopyPeriodRule)
    period = models.CharField(max_length=24, blank=True)
    month_offset = models.SmallIntegerField(default=0)
    lot_size = models.DecimalField(max_digits=18, decimal_places=6, default=1)
    lot_unit = models.CharField(max_length=12, default="MW")
    lot_frequency = models.CharField(max_length=8, default="HOUR")
    price_scale = models.DecimalField(max_digits=12, decimal_places=6, default=1)
    currency = models.CharField(max_length=3, validators=[check_currency])
    index = models.ForeignKey(
        "trading.PriceIndex", models.PROTECT, null=True, blank=True, related_name="+"
    )

    objects = OfVenueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "venue", "symbol", "security_id", "cfi", name="drop_copy_product_once"
            ),
            models.CheckConstraint(
                condition=~models.Q(symbol="", security_id=""),
                name="drop_copy_product_named",
                violation_error_message="A product has a symbol (55) or a security id (48).",
            ),
            models.CheckConstraint(
                condition=models.Q(period_rule="FIXED") ^ models.Q(period=""),
                name="drop_copy_product_period",
                violation_error_message="A period is named with the rule FIXED and only there.",
            ),
            models.CheckConstraint(
                condition=models.Q(lot_size__gt=0, price_scale__gt=0),
                name="drop_copy_product_sizes",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.symbol or self.security_id} → {self.market_id}"


class DropCopyAccount(models.Model):
    """Into which book an account (1) of a venue goes; the account clears there as well."""

    venue = models.ForeignKey(DropCopyVenue, models.CASCADE, related_name="accounts")
    account = models.CharField(max_length=64)
    book = models.ForeignKey("trading.Book", models.PROTECT, related_name="+")
    clearing_account = models.CharField(max_length=40, blank=True)

    objects = OfVenueQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("venue", "account", name="drop_copy_account_once")]

    def __str__(self) -> str:
        return f"{self.account} → {self.book_id}"


class DropCopyParty(models.Model):
    """Who a PartyID (448) of a venue is, whatever its role."""

    venue = models.ForeignKey(DropCopyVenue, models.CASCADE, related_name="parties")
    party_id = models.CharField(max_length=64)
    counterparty = models.ForeignKey("trading.Counterparty", models.PROTECT, related_name="+")

    objects = OfVenueQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint("venue", "party_id", name="drop_copy_party_once")]

    def __str__(self) -> str:
        return f"{self.party_id} → {self.counterparty_id}"


class InboxState(StrEnum):
    """What became of a message."""

    BOOKED = "BOOKED"
    BUSTED = "BUSTED"
    UNMATCHED = "UNMATCHED"
    BY_HAND = "BY_HAND"
    VOID = "VOID"
    NO_TRADE = "NO_TRADE"


INBOX_STATES = [
    ("BOOKED", "Booked"),
    ("BUSTED", "Taken back by the venue"),
    ("UNMATCHED", "Waits for a mapping"),
    ("BY_HAND", "To do by hand"),
    ("VOID", "Not booked, and not to be"),
    ("NO_TRADE", "No execution"),
]


class DropCopyMessage(models.Model):
    """
    A message of a venue as it came, and what became of it. Never deleted, never lost.

    exec_id, trade_date     name a report at its venue; empty where it could not be read.
    is_conflict             the same name came before with other content; a person decides.
    content_hash            of all that is not transport: the same report again is the same row.
    tag, reason             why it is not booked: the field at fault (0: none) and the rule.
    trade_ref               of the trade that it made, cancelled or corrected.
    times_seen              how often it came, by session or file.
    """

    id = models.BigAutoField(primary_key=True)
    venue = models.ForeignKey(DropCopyVenue, models.PROTECT, related_name="messages")
    exec_id = models.CharField(max_length=128, blank=True)
    trade_date = models.DateField(null=True, blank=True)
    refers_to = models.CharField(max_length=128, blank=True)
    exec_type = models.CharField(max_length=1, blank=True)
    message_type = models.CharField(max_length=8)
    sequence_number = models.PositiveBigIntegerField(null=True, blank=True)
    content_hash = models.CharField(max_length=64)
    is_conflict = models.BooleanField(default=False)
    raw = models.BinaryField()
    source = models.CharField(max_length=120)
    received_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    times_seen = models.PositiveIntegerField(default=1)
    state = models.CharField(max_length=10, choices=INBOX_STATES)
    tag = models.PositiveIntegerField(default=0)
    reason = models.CharField(max_length=400, blank=True)
    remarks = models.CharField(max_length=400, blank=True)
    attempts = models.PositiveIntegerField(default=0)
    trade_ref = models.CharField(max_length=16, blank=True)

    objects = OfVenueQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                "venue",
                "trade_date",
                "exec_id",
                condition=models.Q(is_conflict=False) & ~models.Q(exec_id=""),
                name="drop_copy_execution_once",
            ),
            models.UniqueConstraint("venue", "content_hash", name="drop_copy_content_once"),
            models.CheckConstraint(
                condition=~models.Q(state__in=["BOOKED", "BUSTED"]) | ~models.Q(trade_ref=""),
                name="drop_copy_booked_has_a_trade",
            ),
        ]
        indexes = [
            models.Index(fields=["venue", "state", "-id"], name="drop_copy_inbox"),
            models.Index(
                fields=["venue", "refers_to"],
                condition=~models.Q(refers_to=""),
                name="drop_copy_refers_to",
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.venue_id} {self.exec_id or self.message_type} {self.state}"
