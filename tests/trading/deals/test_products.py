"""Products by their legs and totals, written out; and what they refuse, by field."""

from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pytest

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Money
from trading.deals import (
    CertificateTerms,
    DealError,
    Delivery,
    Direction,
    Fee,
    FeeBasis,
    FeeKind,
    Fixed,
    Floating,
    Frequency,
    Lot,
    Option,
    OptionStyle,
    OptionType,
    PriceIndex,
    ProductKind,
    Profile,
    Schedule,
    Volume,
    asset_share,
    basis_swap,
    certificate,
    deal_totals,
    deltas,
    financial_forward,
    fixed_float_swap,
    future,
    index_forward,
    mirror,
    option,
    package,
    package_totals,
    physical_forward,
    ppa,
    profile_forward,
    strip,
)

from .markets import (
    BRENT,
    BUY,
    COAL_HEAT,
    DE,
    DE_SPOT,
    EUA,
    FR_SPOT,
    GO,
    LORD_HOWE,
    MARKETS,
    NBP,
    OIL,
    PJM,
    SELL,
    TTF,
    TTF_MONTH,
    WIND,
    mw,
    period,
)  # fmt: skip

D = Decimal
PAY, RECEIVE = Direction.PAY, Direction.RECEIVE
HALF_DAY = Profile(30, np.array([0] * 23 + [2_500_000] * 23, dtype=np.int64))
SPRING = DatePeriod.day(date(2027, 3, 28))


def per_day(text: str, unit: str) -> Volume:
    return Volume(D(text), unit, Frequency.DAY)


def per_month(text: str, unit: str) -> Volume:
    return Volume(D(text), unit, Frequency.MONTH)


def forward(**changes):
    terms = {"side": BUY, "area": DE, "period": period("mar27"), "volume": mw("10"),
             "price": D("85.20")}  # fmt: skip
    return physical_forward(**{**terms, **changes})


def call(**changes):
    terms = {
        "direction": RECEIVE,
        "schedule": Schedule(DE, period("q1_27"), mw("10")),
        "style": OptionStyle.EUROPEAN,
        "option_type": OptionType.CALL,
        "underlying": (DE_SPOT,),
        "strikes": (D(90),),
        "expiry": datetime(2026, 12, 15, 12, tzinfo=UTC),
        "premium": D("4.25"),
    }
    return Option(**{**terms, **changes})


@pytest.mark.parametrize(
    ("deal", "kind", "legs"),
    [
        (forward(), "PHYSICAL_FORWARD", [(Delivery, RECEIVE), (Fixed, PAY)]),
        (forward(side=SELL), "PHYSICAL_FORWARD", [(Delivery, PAY), (Fixed, RECEIVE)]),
        (
            index_forward(side=BUY, area=DE, period=period("mar27"), volume=mw("1"), index=DE_SPOT),
            "INDEX_FORWARD", [(Delivery, RECEIVE), (Floating, PAY)],
        ),
        (
            future(side=BUY, area=BRENT, period=period("jan27"), lots=D(5), price=D(80),
                   mic="IFEU", clearing_account="A-1"),
            "FUTURE", [(Floating, RECEIVE), (Fixed, PAY)],
        ),
        (
            financial_forward(side=SELL, area=DE, period=period("mar27"), volume=mw("1"),
                              price=D(80), index=DE_SPOT),
            "FINANCIAL_FORWARD", [(Floating, PAY), (Fixed, RECEIVE)],
        ),
        (
            fixed_float_swap(side=BUY, area=DE, period=period("mar27"), volume=mw("1"),
                             price=D(80), index=DE_SPOT),
            "SWAP", [(Floating, RECEIVE), (Fixed, PAY)],
        ),
        (
            basis_swap(side=BUY, area=DE, period=period("mar27"), volume=mw("1"),
                       receive_index=DE_SPOT, pay_index=FR_SPOT, spread=D("1.5")),
            "BASIS_SWAP", [(Floating, RECEIVE), (Floating, PAY)],
        ),
        (
            certificate(side=BUY, area=GO, delivery=SPRING, quantity=D(5000), price=D("2.5")),
            "CERTIFICATE", [(Delivery, RECEIVE), (Fixed, PAY)],
        ),
        (
            ppa(side=BUY, area=DE, period=period("mar27"), asset=WIND.share(D(20)),
                expected=mw("6"), index=DE_SPOT, floor=D(20), cap=D(90)),
            "PPA", [(Delivery, RECEIVE), (Floating, PAY), (Option, PAY), (Option, RECEIVE)],
        ),
        (option(terms=call()), "OPTION", [(Option, RECEIVE)]),
    ],
)  # fmt: skip
def test_a_product_is_its_legs(deal, kind, legs):
    assert deal.kind.value == kind
    assert [(type(leg), leg.direction) for leg in deal.legs] == legs


@pytest.mark.parametrize(
    ("kind", "code"),
    [("PHYSICAL_FORWARD", "FW"), ("FUTURE", "FU"), ("SWAP", "SW"), ("BASIS_SWAP", "SW"),
     ("OPTION", "OP"), ("PPA", "FW_PPA")],
)  # fmt: skip
def test_kinds_have_the_codes_of_acer(kind, code):
    assert ProductKind(kind).contract_type == code


@pytest.mark.parametrize(
    ("area", "name", "volume", "shape", "hours", "amount", "unit", "energy", "notional"),
    [
        # At a price of 2 per unit of the area.
        (DE, "cal27", mw("10"), "BASE", "8760", "87600", "MWh", "87600", "175200.00 EUR"),
        (DE, "cal27", mw("5"), "PEAK", "3132", "15660", "MWh", "15660", "31320.00 EUR"),
        (DE, "mar27", Volume(D(500), "kW", Frequency.HOUR), "BASE",
         "743", "371.5", "MWh", "371.5", "743.00 EUR"),
        (DE, "q1_27", Volume(D(1000), "MWh", Frequency.TOTAL), "BASE",
         "2159", "1000", "MWh", "1000", "2000.00 EUR"),
        (DE, "mar27", per_day("24", "MWh"), "PEAK", "276", "552", "MWh", "552", "1104.00 EUR"),
        (PJM, "cal27", mw("25"), "5X16", "4096", "102400", "MWh", "102400", "204800.00 USD"),
        (LORD_HOWE, "apr27", mw("2"), "BASE", "720.5", "1441", "MWh", "1441", "2882.00 AUD"),
        (TTF, "2027-03-27", mw("30"), "BASE", "23", "690", "MWh", "690", "1380.00 EUR"),
        (TTF, "oct27", per_day("720", "MWh"), "BASE",
         "745", "22320", "MWh", "22320", "44640.00 EUR"),
        # A therm of 10⁵ Btu is 0.0293071070172222… MWh; the money is of the contract's therms.
        (NBP, "q1_27", per_day("1000", "therm"), "BASE",
         "2159", "90000", "therm", "2637.639631550", "180000.00 GBP"),
        # … and at a price per MWh it is rounded once: 2 × 2637.63963155.
        (TTF, "q1_27", per_day("1000", "therm"), "BASE",
         "2159", "90000", "therm", "2637.639631550", "5275.28 EUR"),
        (BRENT, "q1_27", per_month("50000", "bbl"), "BASE",
         None, "150000", "bbl", None, "300000.00 USD"),
        (OIL, "jan27", per_month("1000", "t"), "BASE", None, "1000", "t", None, "14799.55 USD"),
        (COAL_HEAT, "jan27", per_month("25000", "GJ"), "BASE",
         None, "25000", "GJ", "6944.444444444", "2000.00 USD"),
    ],
)  # fmt: skip
def test_totals(area, name, volume, shape, hours, amount, unit, energy, notional):
    deal = physical_forward(
        side=BUY, area=area, period=period(name), volume=volume, price=D(2), shape=shape
    )

    found = deal_totals(deal)

    value, currency = notional.split()
    assert found.hours == (None if hours is None else D(hours))
    assert (found.volume, found.unit) == (D(amount), unit)
    assert found.energy_mwh == (None if energy is None else D(energy))
    assert found.notional == Money(D(value), currency)
    assert found.average_price == 2


def test_a_profile_counts_its_busy_hours_on_the_short_day():
    deal = profile_forward(side=BUY, area=DE, period=SPRING, profile=HALF_DAY, price=D("40.10"))

    found = deal_totals(deal)

    assert (found.hours, found.volume) == (D("11.5"), D("28.75"))
    assert found.notional == Money(D("1152.88"), "EUR")  # 28.75 × 40.10 = 1152.875


def test_lots_are_what_they_deliver_and_fees_are_counted_by_them():
    fees = (
        Fee(PAY, FeeKind.EXCHANGE, D("1.25"), "USD", FeeBasis.PER_LOT),
        Fee(PAY, FeeKind.BROKER, D("0.005"), "USD", FeeBasis.PER_UNIT, "GFI"),
        Fee(RECEIVE, FeeKind.CLEARING, D(10), "USD"),
    )
    deal = future(
        side=SELL, area=BRENT, period=period("q1_27"), lots=D(5), price=D("80.5"), mic="IFEU",
        clearing_account="A-1", fees=fees,
    )  # fmt: skip

    found = deal_totals(deal)

    assert (found.volume, found.unit) == (D(15000), "bbl")
    assert found.notional == Money(D("1207500.00"), "USD")
    assert [str(fee) for fee in found.fees] == ["-6.25 USD", "-75.00 USD", "10.00 USD"]


def test_a_premium_is_paid_by_the_holder_and_an_option_adds_nothing_linear():
    bought, sold = option(terms=call()), option(terms=call(direction=PAY))

    assert deal_totals(bought).premiums == (Money(D("-91757.50"), "EUR"),)  # 21,590 MWh × 4.25
    assert deal_totals(sold).premiums == (Money(D("91757.50"), "EUR"),)
    assert (bought.side, sold.side) == (BUY, SELL)
    assert deltas(bought) == ()


def test_an_average_price_is_weighted_by_volume():
    deals = package(
        [forward(volume=mw("10"), price=D(80)), forward(volume=mw("30"), price=D(90))], "PKG-1"
    )

    found = package_totals(deals)

    assert found.average_price == D("87.5")
    assert found.volume == 29720  # 40 MW × 743 h
    assert {deal.package_id for deal in deals} == {"PKG-1"}


@pytest.mark.parametrize(
    "deal",
    [
        forward(period=period("cal27"), shape="PEAK"),
        physical_forward(side=BUY, area=BRENT, period=period("cal27"),
                         volume=per_month("1000", "bbl"), price=D(80)),
        profile_forward(side=SELL, area=DE, period=period("q1_27"),
                        profile=Profile(60, np.arange(2159, dtype=np.int64)), price=D(3)),
        forward(period=DatePeriod(date(2027, 1, 15), date(2027, 3, 10))),
    ],
)  # fmt: skip
@pytest.mark.parametrize("months", [1, 2, 3])
def test_a_strip_is_the_whole_cut_into_its_months(deal, months):
    pieces = strip(deal, "S-1", months=months)

    whole, together = deal_totals(deal), package_totals(pieces)

    assert together == whole
    assert pieces[0].schedule.period.first == deal.schedule.period.first
    assert pieces[-1].schedule.period.after == deal.schedule.period.after


def test_expected_output_follows_the_months_and_the_share():
    share = WIND.share(D(20))
    deal = asset_share(
        side=BUY, area=DE, period=period("q1_27"), asset=share,
        expected=WIND.expected(period("q1_27"), D(20)), price=D(50),
    )  # fmt: skip

    assert share.percent == 50
    # 744 h × 8.2 MW + 672 h × 8.0 MW + 743 h × 7.8 MW
    assert deal_totals(deal).volume == D("17272.2")
    assert deal.kind is ProductKind.AS_GENERATED


def test_a_certificate_says_vintage_registry_and_date():
    deal = certificate(
        side=BUY, area=EUA, delivery=DatePeriod.day(date(2027, 12, 13)), lots=D(10), price=D(75),
        vintage=2027, registry="EUETS",
    )  # fmt: skip

    assert deal.deliveries[0].certificate == CertificateTerms(2027, "EUETS")
    assert deal_totals(deal).hours is None
    assert deal_totals(deal).volume == 10000
    assert deltas(deal)[0].month == date(2027, 12, 1)


@pytest.mark.parametrize(
    ("area", "shape", "code"),
    [(DE, "BASE", "BL"), (DE, "PEAK", "PL"), (DE, "OFFPEAK", "OP"), (DE, "H08-H20", "BH"),
     (MARKETS["GB-EFA"], "EFA3", "BH"), (TTF, "BASE", "GD")],
)  # fmt: skip
def test_load_types_have_the_codes_of_acer(area, shape, code):
    assert Schedule(area, period("mar27"), mw("1"), area.shape(shape)).load_type_code == code


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("quantity", lambda: mw("0")),
        ("quantity", lambda: mw("-1")),
        ("quantity", lambda: mw("NaN")),
        ("quantity", lambda: mw("1.0000001")),
        ("quantity", lambda: mw("100001")),
        ("quantity", lambda: Volume(D(200), "GW", Frequency.HOUR)),
        ("quantity", lambda: Volume(10.0, "MW", Frequency.HOUR)),
        ("unit", lambda: Volume(D(1), "MW", Frequency.DAY)),
        ("unit", lambda: Volume(D(1), "barrel", Frequency.MONTH)),
        ("unit", lambda: forward(volume=per_day("1", "bbl"))),
        ("unit", lambda: forward(area=BRENT, volume=mw("1"))),
        ("unit", lambda: physical_forward(side=BUY, area=BRENT, period=period("jan27"),
                                          volume=per_month("1", "t"), price=D(1))),
        ("unit", lambda: forward(area=GO, volume=Volume(D(5), "MWh", Frequency.TOTAL))),
        ("lots", lambda: Volume.of_lots(D("1.5"), Lot(D(1), "MW", Frequency.HOUR))),
        ("lot_size", lambda: Lot(D(0), "MW", Frequency.HOUR)),
        ("lot_size", lambda: future(side=BUY, area=GO, period=SPRING, lots=D(1), price=D(1),
                                    mic="XEEE")),
        ("mic", lambda: future(side=BUY, area=DE, period=period("jan27"), lots=D(1), price=D(1),
                               mic="ICE")),
        ("price", lambda: forward(price=D("1000001"))),
        ("price", lambda: forward(price=D("0.0000001"))),
        ("price", lambda: forward(price=D("Infinity"))),
        ("currency", lambda: forward(currency="EURO")),
        ("period", lambda: forward(period=DatePeriod(date(2027, 1, 1), date(2060, 1, 1)))),
        ("period", lambda: forward(period=DatePeriod(date(1901, 1, 1), date(1902, 1, 1)))),
        ("period", lambda: forward(period=SPRING, shape="PEAK")),
        ("period", lambda: forward(period=SPRING, shape="H02-H03")),
        ("period", lambda: forward(area=PJM, period=period("cal28"), shape="5X16")),
        ("period", lambda: physical_forward(side=BUY, area=BRENT, period=SPRING, price=D(80),
                                            volume=per_month("1000", "bbl"))),
        ("product", lambda: forward(shape="EFA1")),
        ("volume", lambda: profile_forward(side=BUY, area=DE, period=period("mar27"),
                                           profile=HALF_DAY, price=D(1))),
        ("volume", lambda: profile_forward(side=BUY, area=NBP, period=SPRING, profile=HALF_DAY,
                                           price=D(1))),
        ("volume", lambda: Profile(15, np.zeros(96, dtype=np.int64))),
        ("volume", lambda: Profile(15, np.array([-1, 2], dtype=np.int64))),
        ("volume", lambda: Profile(15, np.array([1.0, 2.0]))),
        ("volume", lambda: Profile.of_mw(15, [D(1), D("0.0000001")])),
        ("volume", lambda: Profile.of_floats(15, np.array([1.0, np.nan]))),
        ("minutes", lambda: Profile(10, np.ones(5, dtype=np.int64))),
        ("minutes", lambda: profile_forward(
            side=BUY, area=LORD_HOWE, period=period("2027-04-04"), price=D(1),
            profile=Profile(60, np.ones(24, dtype=np.int64)))),
        ("price", lambda: profile_forward(side=BUY, area=DE, period=SPRING, profile=HALF_DAY)),
        ("price", lambda: profile_forward(side=BUY, area=DE, period=SPRING, profile=HALF_DAY,
                                          price=D(1), index=DE_SPOT)),
        ("spread", lambda: profile_forward(side=BUY, area=DE, period=SPRING, profile=HALF_DAY,
                                           price=D(1), spread=D(1))),
        ("multiplier", lambda: index_forward(side=BUY, area=DE, period=SPRING, volume=mw("1"),
                                             index=DE_SPOT, multiplier=D(0))),
        ("index", lambda: PriceIndex("TTF-M+1", TTF)),
        ("index", lambda: PriceIndex("1X", TTF)),
        ("index", lambda: basis_swap(side=BUY, area=DE, period=SPRING, volume=mw("1"),
                                     receive_index=DE_SPOT, pay_index=DE_SPOT)),
        ("index", lambda: profile_forward(side=BUY, area=DE, period=SPRING, profile=HALF_DAY,
                                          index=TTF_MONTH)),
        ("area", lambda: certificate(side=BUY, area=DE, delivery=SPRING, quantity=D(1),
                                     price=D(1))),
        ("quantity", lambda: certificate(side=BUY, area=GO, delivery=SPRING, quantity=D("1.5"),
                                         price=D(1))),
        ("quantity", lambda: certificate(side=BUY, area=GO, delivery=SPRING, price=D(1))),
        ("period", lambda: certificate(side=BUY, area=GO, delivery=period("q1_27"),
                                       quantity=D(1), price=D(1))),
        ("vintage", lambda: CertificateTerms(1999)),
        ("registry", lambda: CertificateTerms(2026, "two words")),
        ("share", lambda: WIND.share(D(41))),
        ("floor", lambda: ppa(side=BUY, area=DE, period=SPRING, asset=WIND.share(D(1)),
                              expected=mw("1"), price=D(50), floor=D(20))),
        ("floor", lambda: ppa(side=BUY, area=DE, period=SPRING, asset=WIND.share(D(1)),
                              expected=mw("1"), index=DE_SPOT, floor=D(20), cap=D(10))),
        ("strike", lambda: call(strikes=(D(1), D(2)))),
        ("strike", lambda: call(option_type=OptionType.COLLAR, strikes=(D(2), D(1)))),
        ("underlying", lambda: call(option_type=OptionType.SPREAD_CALL)),
        ("expiry", lambda: call(expiry=datetime(2026, 12, 15))),
        ("expiry", lambda: call(expiry=datetime(2027, 5, 1, tzinfo=UTC))),
        ("exercises", lambda: call(style=OptionStyle.BERMUDAN)),
        ("premium", lambda: call(premium=D(-1))),
        ("fee", lambda: Fee(PAY, FeeKind.BROKER, D(-1), "EUR")),
        ("fee", lambda: forward(fees=(Fee(PAY, FeeKind.BROKER, D(1), "EUR", FeeBasis.PER_LOT),))),
        ("fee", lambda: mirror(forward(fees=(Fee(PAY, FeeKind.BROKER, D(1), "EUR"),)), "M")),
        ("fee", lambda: strip(forward(fees=(Fee(PAY, FeeKind.BROKER, D(1), "EUR"),)), "S")),
        ("volume", lambda: strip(forward(volume=Volume(D(1), "MWh", Frequency.TOTAL)), "S")),
        ("option", lambda: strip(option(terms=call()), "S")),
        ("package_id", lambda: package([], "P")),
        ("package_id", lambda: package([replace(forward(), package_id="A")], "B")),
        ("package_id", lambda: package([forward()], "two words")),
        ("legs", lambda: replace(forward(), legs=())),
        ("unit", lambda: package_totals([forward(), forward(volume=per_day("1", "GJ"))])),
        ("currency", lambda: package_totals([forward(), forward(currency="USD")])),
    ],
)  # fmt: skip
def test_bad_terms_are_refused_by_field(field, make):
    with pytest.raises(DealError) as refused:
        make()
    assert refused.value.field == field, str(refused.value)
    assert str(refused.value).startswith(f"{field}: ")


def test_a_profile_is_compared_by_what_it_holds_and_cannot_be_changed():
    same = Profile.of_mw(30, [D(0)] * 23 + [D("2.5")] * 23)

    assert same == HALF_DAY and hash(same) == hash(HALF_DAY)
    assert Profile.of_floats(30, np.array([0.0] * 23 + [2.5] * 23)) == same
    assert same != HALF_DAY.part(0, 40)
    with pytest.raises(ValueError, match="read-only"):
        same.micro_mw[0] = 1


def test_an_index_elsewhere_is_counted_in_its_own_days():
    deal = index_forward(
        side=BUY, area=DE, period=SPRING, volume=mw("1"), index=TTF_MONTH, spread=D(2)
    )

    floating = deal.floating_legs[0]

    assert floating.schedule.area == TTF_MONTH.area
    assert floating.schedule.hours == 24  # the gas day of that Sunday, not its 23 hours of power
