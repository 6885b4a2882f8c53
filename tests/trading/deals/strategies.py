"""Random deals of every linear product, for the laws that hold for all of them."""

from datetime import date, timedelta
from decimal import Decimal

import numpy as np
from hypothesis import strategies as st

from energyopti.foundation.calendars import DatePeriod
from energyopti.foundation.money import Side
from trading.deals import (
    Frequency,
    Profile,
    Volume,
    basis_swap,
    certificate,
    fixed_float_swap,
    future,
    index_forward,
    physical_forward,
    ppa,
    profile_forward,
)

from .markets import DE, DE_SPOT, FR_SPOT, INDICES, MARKETS, WIND

sides = st.sampled_from(Side)
prices = st.decimals("-500", "4000", places=6)
spreads = st.decimals("-20", "20", places=2)
flows = st.sampled_from(["DE", "FR", "NL", "GB-EFA", "TTF", "LHI"])
months = st.builds(
    lambda year, month, count: DatePeriod.months(year, month, count),
    st.integers(2027, 2031), st.integers(1, 12), st.integers(1, 14),
)  # fmt: skip
runs = st.builds(
    lambda first, days: DatePeriod(first, first + timedelta(days=days)),
    st.dates(date(2027, 1, 1), date(2031, 12, 31)), st.integers(1, 100),
)  # fmt: skip
periods = st.one_of(months, runs, st.builds(DatePeriod.iso_week, st.just(2028), st.integers(1, 52)))
rates = st.one_of(
    st.decimals("0.001", "9999", places=3).map(Volume.mw),
    st.builds(
        Volume, st.decimals("0.01", "99999", places=2), st.just("MWh"),
        st.sampled_from([Frequency.DAY, Frequency.TOTAL]),
    ),
)  # fmt: skip


@st.composite
def shapes(draw, area):
    return draw(st.sampled_from([*(s.code for s in area.shapes), "BASE", "H08-H20", "H22-H06"]))


@st.composite
def flow_terms(draw):
    area = MARKETS[draw(flows)]
    shape = draw(shapes(area))
    # A peak may have no hours in a few days; whole months always do.
    period = draw(months if shape != "BASE" else periods)
    return {
        "side": draw(sides), "area": area, "period": period, "volume": draw(rates), "shape": shape,
    }  # fmt: skip


forwards = st.builds(lambda terms, price: physical_forward(**terms, price=price),
                     flow_terms(), prices)  # fmt: skip
index_forwards = st.builds(
    lambda terms, spread: index_forward(**terms, index=DE_SPOT, spread=spread),
    flow_terms().filter(lambda t: t["area"].code == "DE"), spreads,
)  # fmt: skip
swaps = st.builds(
    lambda terms, price: fixed_float_swap(
        **terms, price=price, index=INDICES.get(terms["area"].index_code, DE_SPOT)
    ),
    flow_terms().filter(lambda t: t["area"].code in ("DE", "GB-EFA", "TTF")), prices,
)  # fmt: skip
basis_swaps = st.builds(
    lambda terms, spread: basis_swap(
        **terms, receive_index=FR_SPOT, pay_index=DE_SPOT, spread=spread
    ),
    flow_terms().filter(lambda t: t["area"].code == "DE"), spreads,
)  # fmt: skip
futures = st.builds(
    lambda side, code, period, lots, price: future(
        side=side, area=MARKETS[code], period=period, lots=Decimal(lots), price=price, mic="XEEE",
        clearing_account="A-1",
    ),
    sides, st.sampled_from(["DE", "NBP", "HH", "BRENT", "API2"]), months, st.integers(1, 5000),
    prices,
)  # fmt: skip
bulk = st.builds(
    lambda side, period, quantity, price: physical_forward(
        side=side, area=MARKETS["BRENT"], period=period, price=price,
        volume=Volume(quantity, "bbl", Frequency.MONTH),
    ),
    sides, months, st.decimals("1", "999999", places=3), prices,
)  # fmt: skip
certificates = st.builds(
    lambda side, code, day, quantity, price, vintage, registry: certificate(
        side=side, area=MARKETS[code], delivery=DatePeriod.day(day), quantity=Decimal(quantity),
        price=price, vintage=vintage, registry=registry,
    ),
    sides, st.sampled_from(["EUA", "GO-EU"]), st.dates(date(2027, 1, 1), date(2030, 1, 1)),
    st.integers(1, 10**6), prices, st.sampled_from([None, 2026, 2027]),
    st.sampled_from(["", "EUETS", "AIB"]),
)  # fmt: skip


@st.composite
def ppas(draw):
    share, period = draw(st.decimals("0.001", "40", places=3)), draw(months)
    terms = draw(st.sampled_from([
        {"price": Decimal("51.25")}, {"index": DE_SPOT},
        {"index": DE_SPOT, "spread": Decimal("-1.5"), "floor": Decimal(20), "cap": Decimal(90)},
        {"index": DE_SPOT, "cap": Decimal("90.5")},
    ]))  # fmt: skip
    return ppa(
        side=draw(sides), area=DE, period=period, asset=WIND.share(share),
        expected=WIND.expected(period, share), **terms,
    )  # fmt: skip


@st.composite
def profile_deals(draw):
    minutes = draw(st.sampled_from([15, 30, 60]))
    first = draw(st.dates(date(2027, 3, 20), date(2027, 4, 2)))
    period = DatePeriod(first, first + timedelta(days=draw(st.integers(1, 20))))
    count = int(DE.calendar.span(period).hours * 60 / minutes)
    row = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).integers(0, 10**9, count)
    priced = draw(st.one_of(
        prices.map(lambda price: {"price": price}),
        spreads.map(lambda spread: {"index": DE_SPOT, "spread": spread}),
        st.just({"index": DE_SPOT, "multiplier": Decimal("0.95")}),
    ))  # fmt: skip
    return profile_forward(
        side=draw(sides), area=DE, period=period, profile=Profile(minutes, row), **priced
    )


with_text = st.one_of(
    forwards, index_forwards, swaps, basis_swaps, futures, bulk, certificates, ppas()
)
linear = st.one_of(with_text, profile_deals())
