"""Write a deal as the line that `_quick_text` reads back."""

from __future__ import annotations

import re
from dataclasses import dataclass

from energyopti.foundation.money import Side
from trading.deals._areas import CommodityKind
from trading.deals._deals import Deal, ProductKind
from trading.deals._errors import DealError
from trading.deals._legs import CertificateTerms, OptionType
from trading.deals._periods import period_name
from trading.deals._products import settlement_index
from trading.deals._quick_words import LOTS, PEAK_POWER, UNITS
from trading.deals._volumes import Profile, Volume

_NO_WORD = re.compile(r"[\s@]")


@dataclass(frozen=True, slots=True)
class DealText:
    """A deal as written, and the codes that the text names (empty if it does not)."""

    deal: Deal
    counterparty_code: str = ""
    book_code: str = ""
    tags: tuple[str, ...] = ()


def render_deal_text(text: DealText) -> str:
    """
    Write a deal as the line that reads back as the same deal.

    :raises DealError: for what has no line: a profile, an option, fees, a multiplier, a lot or
        index other than the area's.
    """
    deal = text.deal
    schedule = deal.schedule
    if deal.fees:
        raise DealError("fee", "has no place in a line of text.")
    named = (schedule.area.code, text.counterparty_code, text.book_code, *text.tags)
    if any(_NO_WORD.search(name) for name in named):
        raise DealError("text", "a name with a space or @ in it has no place in a line.")
    if schedule.area.shape(schedule.shape.code, on=schedule.period.first) != schedule.shape:
        raise DealError("product", "is of a version that a line of text does not name.")
    words = [
        "B" if deal.side is Side.BUY else "S",
        _written_quantity(deal),
        schedule.area.code,
        *([schedule.shape.code.lower()] if schedule.area.commodity is CommodityKind.POWER
          or schedule.shape.code != "BASE" else []),
        period_name(schedule.period),
        "@",
        *_written_price(deal),
        *_written_kind(deal),
    ]  # fmt: skip
    words += [f"pkg:{deal.package_id}"] if deal.package_id else []
    words += [f"cpty:{text.counterparty_code}"] if text.counterparty_code else []
    words += [f"book:{text.book_code}"] if text.book_code else []
    return " ".join([*words, *(f"tag:{tag}" for tag in text.tags)])


def _written_quantity(deal: Deal) -> str:
    schedule = deal.schedule
    volume = schedule.volume
    asset = next((d.asset for d in deal.deliveries if d.asset is not None), None)
    if asset is not None and deal.kind is ProductKind.PPA:
        return f"{asset.contracted_mw:f}{PEAK_POWER}"
    if isinstance(volume, Profile):
        raise DealError("volume", "a profile has no line of text.")
    if volume.lots is not None:
        lot = schedule.area.lot
        if lot is None or Volume.of_lots(volume.lots, lot) != volume:
            raise DealError("lot_size", f"is not that of {schedule.area.code}, so has no line.")
        return f"{volume.lots:f}{LOTS}"
    for known in UNITS:
        is_unit = (known.unit, known.frequency) == (volume.unit, volume.frequency)
        if is_unit and schedule.area.commodity in known.commodities:
            return f"{volume.quantity:f}{known.written}"
    raise DealError("unit", f"{volume.unit} per {volume.frequency.lower()} has no line of text.")


def _written_price(deal: Deal) -> list[str]:
    if deal.fixed_legs:
        (fixed,) = deal.fixed_legs
        if fixed.per != fixed.schedule.area.price_unit:
            raise DealError("price_unit", f"a price per {fixed.per} has no line of text.")
        return [f"{fixed.price:f}", fixed.currency]
    if not deal.floating_legs:
        raise DealError("price", "is not in the line of an option.")
    paid = deal.floating_legs[-1]
    if paid.multiplier != 1:
        raise DealError("multiplier", "has no place in a line of text.")
    return [f"{paid.index.code}{paid.spread:+f}" if paid.spread else paid.index.code]


def _written_kind(deal: Deal) -> list[str]:
    kind, area = deal.kind, deal.schedule.area
    if kind in (ProductKind.PHYSICAL_FORWARD, ProductKind.INDEX_FORWARD):
        return []
    if kind in (ProductKind.SWAP, ProductKind.BASIS_SWAP):
        return [f"swap:{deal.floating_legs[0].index.code}"]
    if kind is ProductKind.FUTURE:
        if deal.floating_legs[0].index != settlement_index(area, deal.mic):
            raise DealError("index", "of a future in a line is the exchange's settlement price.")
        account = [f"acct:{deal.clearing_account}"] if deal.clearing_account else []
        return [f"fut:{deal.mic}", *account]
    if kind is ProductKind.CERTIFICATE:
        terms = deal.deliveries[0].certificate or CertificateTerms()
        return [
            *([f"vintage:{terms.vintage}"] if terms.vintage is not None else []),
            *([f"reg:{terms.registry}"] if terms.registry else []),
        ]
    if kind is ProductKind.PPA:
        asset = deal.deliveries[0].asset
        assert asset is not None, "a PPA is of an asset"
        bounds = {option.option_type: option.strikes[0] for option in deal.options}
        return [
            f"asset:{asset.asset_id}",
            *(
                f"{word}:{bounds[option_type]:f}"
                for word, option_type in (("floor", OptionType.FLOOR), ("cap", OptionType.CAP))
                if option_type in bounds
            ),
        ]
    raise DealError("kind", f"{kind.value} has no line of text.")
