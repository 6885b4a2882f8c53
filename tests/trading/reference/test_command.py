"""`import_reference` as the terminal sees it."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories.accounts import make_organization
from trading.models import Market, ShapeCalendar

pytestmark = pytest.mark.django_db
EUROPE = Path(__file__).resolve().parents[3] / "docs" / "reference-data" / "europe"


def run(*arguments) -> str:
    out = StringIO()
    call_command("import_reference", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_dry_run_then_import_then_nothing_to_do():
    slug = make_organization().slug

    dry = run(EUROPE, "--organization", slug, "--dry-run")
    assert "dry run, nothing was imported" in dry and "DE-LU" in dry
    assert not Market.objects.exists()
    assert "0 changed, 0 unchanged." in run(EUROPE, "--organization", slug)
    assert "imported: 0 added, 0 changed" in run(EUROPE, "--organization", slug)


def test_a_refusal_names_the_line_and_exits_with_one(tmp_path):
    bad = tmp_path / "markets.csv"
    bad.write_bytes((EUROPE / "markets.csv").read_bytes().replace(b"A1001A82H", b"A1001A82X"))
    out = StringIO()

    with pytest.raises(CommandError, match="nothing was imported") as error:
        call_command(
            "import_reference", str(EUROPE / "commodities.csv"), str(EUROPE / "holidays.csv"),
            str(EUROPE / "shapes.csv"), str(bad), stdout=out,
        )  # fmt: skip

    assert error.value.returncode == 1
    assert "eic" in out.getvalue() and "10Y1001A1001A82X" in out.getvalue()
    assert not ShapeCalendar.objects.exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Name files or folders"),
        (("nowhere.csv",), "cannot be read"),
        ((EUROPE / "books.csv",), "organization: say whose"),
        ((EUROPE / "books.csv", "--organization", "none"), "there is no “none”"),
        ((EUROPE / "books.csv", EUROPE / "books.csv"), "given before"),
        (("--catalogue", "--dry-run"), "no dry run"),
    ],
)
def test_what_cannot_be_done_is_a_sentence(arguments, words):
    with pytest.raises(CommandError, match=words):
        run(*arguments)


def test_the_catalogue_can_be_brought_in_alone():
    run("--catalogue")

    assert {"EEX", "GB-EFA", "US-NERC"} <= set(ShapeCalendar.objects.values_list("code", flat=True))
