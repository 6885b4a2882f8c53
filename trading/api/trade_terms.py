"""The terms of a deal as the API takes and gives them: typed, for every product."""

from typing import Any

from rest_framework import serializers

from energyopti.foundation.api.serializers import DecimalString, InstantField, StrictSerializer
from trading.deals import (
    Direction,
    FeeBasis,
    FeeKind,
    OptionStyle,
    OptionType,
    ProductKind,
    RightForm,
    Settlement,
    StructureKind,
    terms_of,
)
from trading.models import CaptureBasis

_MOST_INTERVALS = 31 * 366 * 96


def _words(enum: Any) -> list[str]:
    return [word.value for word in enum]


def _number(**more: Any) -> DecimalString:
    return DecimalString(max_digits=18, decimal_places=6, required=False, **more)


class ProfileInput(StrictSerializer):
    """Power by the interval from the start of the first delivery day, clock changes included."""

    minutes = serializers.ChoiceField(choices=[15, 30, 60])
    mw = serializers.ListField(
        child=DecimalString(max_digits=12, decimal_places=6), max_length=_MOST_INTERVALS
    )


class AssetInput(StrictSerializer):
    """Whose output a deal is about."""

    id = serializers.CharField(max_length=40)
    installed_mw = DecimalString(max_digits=12, decimal_places=6)
    contracted_mw = DecimalString(max_digits=12, decimal_places=6)


class OptionInput(StrictSerializer):
    """The full terms of an option; its delivery is that of the deal."""

    style = serializers.ChoiceField(choices=_words(OptionStyle))
    type = serializers.ChoiceField(choices=_words(OptionType))
    underlying = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=2
    )
    strikes = serializers.ListField(
        child=DecimalString(max_digits=16, decimal_places=6), min_length=1, max_length=2
    )
    expiry = InstantField()
    exercises = serializers.ListField(child=InstantField(), required=False, max_length=400)
    currency = serializers.CharField(max_length=3, required=False)
    premium = _number()
    premium_currency = serializers.CharField(max_length=3, required=False)
    premium_date = serializers.DateField(required=False)
    settlement = serializers.ChoiceField(choices=_words(Settlement), required=False)
    ratio = _number(
        help_text="Of a spread: how much of the second underlying goes with one unit of the first,"
        " such as a heat rate; 1 if left out."
    )
    ratio_unit = serializers.CharField(
        max_length=12,
        required=False,
        help_text="What the ratio counts: MWh, MMBtu, t; needed where the two have other units.",
    )
    second_period = serializers.CharField(
        max_length=40,
        required=False,
        help_text="Delivery of the second underlying, if it is another: a calendar spread.",
    )
    cost = _number(
        help_text="Of a spread: a cost known beforehand, per unit of the first, that lowers it."
    )


def _structure_fields() -> dict[str, Any]:
    """Return a field for each term of each kind of contract with choices, from their classes."""
    found: dict[str, Any] = {}
    for kind in StructureKind:
        for name, term in terms_of(kind).items():
            words = f"{term.label}, {term.unit}" if term.unit else term.label
            said = f"{kind.value}: {words}."
            if name in found:
                found[name].help_text += f" {said}"
            elif name == "form":
                found[name] = serializers.ChoiceField(
                    choices=_words(RightForm), required=False, help_text=said
                )
            elif name.endswith("_ratchets"):
                found[name] = serializers.CharField(max_length=400, required=False, help_text=said)
            else:
                found[name] = _number(help_text=said)
    return found


class _StructureInput(StrictSerializer):
    """
    The terms of a contract with choices; what does not go with its product is refused.

    `underlying` names indices: of SWING, STORAGE and BATTERY_TOLLING one, of TOLLING power, fuel
    and, with a carbon intensity, carbon, of TRANSMISSION_RIGHT source and sink. `premium` is the
    whole.
    """

    underlying = serializers.ListField(
        child=serializers.CharField(max_length=40), min_length=1, max_length=3
    )
    premium = _number()
    premium_date = serializers.DateField(required=False)


StructureInput = type(
    "StructureInput",
    (_StructureInput,),
    {"__doc__": _StructureInput.__doc__, **_structure_fields()},
)


class FeeInput(StrictSerializer):
    """A fee that we bear (PAY), or a rebate to us (RECEIVE)."""

    kind = serializers.ChoiceField(choices=_words(FeeKind))
    amount = DecimalString(max_digits=18, decimal_places=6)
    direction = serializers.ChoiceField(choices=_words(Direction), required=False)
    basis = serializers.ChoiceField(choices=_words(FeeBasis), required=False)
    currency = serializers.CharField(max_length=3, required=False)
    payee = serializers.CharField(max_length=40, required=False)


class TermsInput(StrictSerializer):
    """
    The terms of a deal. Which of them go with a product stands in docs/trade-files.md; one that
    does not go with it is refused.
    """

    product = serializers.ChoiceField(choices=_words(ProductKind))
    side = serializers.ChoiceField(choices=["BUY", "SELL"])
    market = serializers.CharField(max_length=24)
    period = serializers.CharField(max_length=24)
    shape = serializers.CharField(max_length=16, required=False)
    quantity = _number()
    unit = serializers.CharField(max_length=12, required=False)
    profile = ProfileInput(required=False)
    price = _number()
    currency = serializers.CharField(max_length=3, required=False)
    index = serializers.CharField(max_length=40, required=False)
    receive_index = serializers.CharField(max_length=40, required=False)
    spread = _number()
    multiplier = _number()
    mic = serializers.CharField(max_length=4, required=False)
    clearing_account = serializers.CharField(max_length=40, required=False)
    vintage = serializers.IntegerField(required=False)
    registry = serializers.CharField(max_length=40, required=False)
    asset = AssetInput(required=False)
    floor = _number()
    cap = _number()
    option = OptionInput(required=False)
    structure = StructureInput(required=False)
    fees = FeeInput(many=True, required=False)


class DealInput(StrictSerializer):
    """
    A deal to capture: `terms`, or one line of `text` with what the line may leave out beside it.

    `executed_at` makes it a fill, which is booked whatever the checks say. `source` and
    `external_id` say where a fill came from; it is booked once.
    """

    text = serializers.CharField(max_length=300, required=False)
    terms = TermsInput(required=False)
    book = serializers.CharField(max_length=16, required=False)
    counterparty = serializers.CharField(max_length=16, required=False)
    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)
    override_reason = serializers.CharField(max_length=400, required=False)
    client_reference = serializers.CharField(max_length=80, required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=40), required=False, max_length=10
    )
    executed_at = InstantField(required=False)
    source = serializers.CharField(max_length=40, required=False)
    external_id = serializers.CharField(max_length=80, required=False)
    draft = serializers.BooleanField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("text" in attrs) is ("terms" in attrs):
            raise serializers.ValidationError(
                {"text": "Give the deal as text or as terms, one of them."}
            )
        if attrs.get("draft") and "executed_at" in attrs:
            raise serializers.ValidationError({"draft": "What is executed is no draft."})
        return attrs


class ChangeInput(StrictSerializer):
    """New terms for a trade, as text or as terms, and why."""

    text = serializers.CharField(max_length=300, required=False)
    terms = TermsInput(required=False)
    reason = serializers.CharField(max_length=400)
    override_reason = serializers.CharField(max_length=400, required=False)
    effective_at = InstantField(required=False)

    validate = DealInput.validate


class CorrectionInput(StrictSerializer):
    """What the terms should have been from the start, and why."""

    text = serializers.CharField(max_length=300, required=False)
    terms = TermsInput(required=False)
    reason = serializers.CharField(max_length=400)

    validate = DealInput.validate


class MeterInput(StrictSerializer):
    """A true-up by a meter needs no reason; one may be given."""

    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)


class ReasonInput(StrictSerializer):
    """Why."""

    reason = serializers.CharField(max_length=400)


class ReleaseInput(StrictSerializer):
    """A release needs a reason only where a check has a remark."""

    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)
    override_reason = serializers.CharField(max_length=400, required=False)


class ExerciseInput(StrictSerializer):
    """When the holder of an option gave notice; now, if it is left out."""

    exercised_at = serializers.DateTimeField(required=False)
    reason = serializers.CharField(max_length=400, required=False, allow_blank=True)


class TerminationFeeInput(StrictSerializer):
    """What one side pays the other for ending early."""

    amount = DecimalString(max_digits=18, decimal_places=6)
    currency = serializers.CharField(max_length=3)
    direction = serializers.ChoiceField(choices=_words(Direction))
    payee = serializers.CharField(max_length=40, required=False)


class TerminationInput(StrictSerializer):
    """From which delivery day on a trade ends, and why."""

    from_date = serializers.DateField()
    reason = serializers.CharField(max_length=400)
    fee = TerminationFeeInput(required=False)


class NovationInput(StrictSerializer):
    """Who takes a trade over, and from which delivery day on."""

    counterparty = serializers.CharField(max_length=16)
    from_date = serializers.DateField()
    reason = serializers.CharField(max_length=400)


BASES = _words(CaptureBasis)
