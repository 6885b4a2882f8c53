"""CSV round trips for any text, and no spreadsheet finds a formula in it."""

import csv
import io
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from energyopti.foundation.exports.csv import (
    FORMULA_CHARACTERS,
    neutralize,
    read_csv,
    restore,
    write_csv,
)
from energyopti.foundation.exports.tables import Column, ExportError, Kind, Table

TEXT = Column("name", "Counterparty")
PRICE = Column("price", "Price", Kind.DECIMAL, "EUR/MWh")
risky = st.text(alphabet=st.sampled_from("'=+-@\t\r\n ;,\"a1＝"), max_size=8)
any_text = st.one_of(st.text(max_size=30), risky)


def written(table, **options):
    return b"".join(write_csv(table, **options)).decode()


def read(text, **options):
    return list(read_csv(io.StringIO(text, newline=""), **options))


@given(st.lists(st.tuples(any_text, any_text), max_size=5))
def test_any_text_comes_back_as_it_was(rows):
    table = Table("Deals", [TEXT, Column("note", "Note")], rows)

    found = read(written(table))

    assert [(row["name"], row["note"]) for row in found] == rows


@given(any_text)
def test_no_cell_begins_with_a_formula_character(text):
    (_, cells) = csv.reader(io.StringIO(written(Table("Deals", [TEXT], [[text]])), newline=""))

    assert cells[0][:1] not in tuple(FORMULA_CHARACTERS)


@given(any_text)
def test_restore_undoes_neutralize_once(text):
    assert restore(neutralize(text)) == text


@pytest.mark.parametrize(
    "attack",
    ['=HYPERLINK("http://x","y")', "+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1"],
)
def test_a_known_attack_is_disarmed(attack):
    text = written(Table("Deals", [TEXT], [[attack]]))

    assert next(csv.reader(io.StringIO(text.split("\r\n", 1)[1], newline="")))[0] == "'" + attack
    assert read(text) == [{"name": attack}]


def test_a_semicolon_locale_finds_no_second_cell():
    text = written(Table("Deals", [TEXT], [["a;=1+1"]]))

    assert '"a;=1+1"' in text


def test_numbers_stay_numbers_with_their_sign_and_decimals():
    rows = [[Decimal("-12.50")], [Decimal("1E+3")], [None], [Decimal("0E-8")], [0.1]]

    text = written(Table("Prices", [PRICE], rows))

    assert text.split("\r\n")[1:-1] == ["-12.50", "1000", '""', "0.00000000", "0.1"]


def test_an_apostrophe_in_a_number_column_is_not_undone():
    text = '"price"\r\n"\'-5"\r\n'

    assert read(text, columns=[PRICE]) == [{"price": "'-5"}]
    assert read(text) == [{"price": "-5"}]


def test_moments_carry_their_offset_and_dates_none():
    columns = [Column("at", "At", Kind.DATETIME), Column("day", "Day", Kind.DATE)]
    row = [datetime(2026, 10, 25, 0, 30, tzinfo=UTC), date(2026, 10, 25)]

    assert '"2026-10-25T00:30:00Z","2026-10-25"' in written(Table("Times", columns, [row]))


def test_a_byte_order_mark_is_written_when_asked_and_skipped_when_read():
    text = written(Table("Deals", [Column("a,b", "x")], [["1"]]), bom=True)

    assert text.startswith("\ufeff")
    assert read(text) == [{"a,b": "1"}]


def test_a_file_without_heading_or_with_a_ragged_row_names_the_line():
    with pytest.raises(ValueError, match="line 1"):
        read("")
    with pytest.raises(ValueError, match="line 3: 1 cells for 2 columns"):
        read('"a","b"\r\n"1","2"\r\n"3"\r\n')


@pytest.mark.parametrize(
    ("kind", "value", "rule"),
    [
        (Kind.MONEY, 0.1, "money as a float"),
        (Kind.DECIMAL, float("nan"), "not a number"),
        (Kind.DECIMAL, Decimal("Infinity"), "is not a decimal"),
        (Kind.DECIMAL, "12", "is not a decimal"),
        (Kind.INTEGER, True, "is not a integer"),
        (Kind.DATETIME, datetime(2026, 1, 1), "offset"),
        (Kind.DATE, datetime(2026, 1, 1, tzinfo=UTC), "is not a date"),
    ],
)
def test_a_value_of_another_kind_is_refused_by_row_and_column(kind, value, rule):
    table = Table("Deals", [Column("x", "X", kind)], [[None], [value]])

    with pytest.raises(ExportError, match=f"row 2, column x.*{rule}"):
        written(table)


def test_a_table_needs_columns_that_differ_and_an_aware_cut():
    with pytest.raises(ExportError, match="keys that differ"):
        Table("Deals", [TEXT, TEXT], [])
    with pytest.raises(ExportError, match="offset"):
        Table("Deals", [TEXT], [], as_of=datetime(2026, 1, 1))


def test_a_row_of_another_width_is_refused():
    with pytest.raises(ExportError, match="row 1: 2 values for 1 columns"):
        written(Table("Deals", [TEXT], [["a", "b"]]))
