"""`manage.py validate_models`: the finish line, other zones, both file formats, every refusal."""

import io
import json
from pathlib import Path

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError


def write(folder: Path, document: object) -> Path:
    path = folder / "cases.json"
    path.write_text(document if isinstance(document, str) else json.dumps(document), "utf-8")
    return path


def case(id_: str = "c1", **fields: object) -> dict[str, object]:
    return {
        "id": id_,
        "topic": "dst_day",
        "inputs": {"date": "2027-03-28", "timezone": "Europe/Berlin", "power_mw": 10},
        "expected": {"n60": 23},
        "tolerance": 0,
        **fields,
    }


def run(path: Path, *args: str) -> tuple[int, dict[str, object]]:
    """Run the command and return its exit code and its JSON."""
    output, code = io.StringIO(), 0
    try:
        call_command("validate_models", path, *args, "--json", "-", stdout=output)
    except SystemExit as stop:
        code = int(stop.code or 0)
    return code, json.loads(output.getvalue())


def test_reference_days_and_hours_pass(shared_data):
    file = shared_data / "oracles" / "trading_risk.json"

    code, report = run(
        file,
        *["--topic", "dst_day", "--topic", "delivery_hours_base", "--topic", "delivery_hours_peak"],
    )

    assert code == 0
    assert report["summary"] == {"pass": 8, "fail": 0, "unsupported": 0}


def test_reference_periods_and_calendar_pass(shared_data):
    file = shared_data / "oracles" / "energy_settlement.json"

    code, report = run(file, *["--id", "dp-de", "--id", "dp-us", "--id", "cal-de"])

    assert code == 0
    assert report["summary"] == {"pass": 3, "fail": 0, "unsupported": 0}


def test_case_of_another_calendar_kind_is_unsupported_and_not_all_pass(shared_data):
    code, report = run(shared_data / "oracles" / "energy_settlement.json", "--topic", "calendar")

    assert code == 1
    (unsupported,) = [c for c in report["cases"] if c["status"] == "unsupported"]
    assert unsupported["id"] == "ro-leap"
    assert unsupported["got"] is None
    assert unsupported["reason"] == "inputs have no tz, days"


@pytest.mark.parametrize("name", ["compliance", "billing", "trading_risk", "energy_settlement"])
def test_whole_reference_files_are_reported_without_a_crash(shared_data, name):
    _, report = run(shared_data / "oracles" / f"{name}.json")

    assert sum(report["summary"].values()) == len(report["cases"]) > 0
    assert all(c["status"] in {"pass", "fail", "unsupported"} for c in report["cases"])


@pytest.mark.parametrize(
    ("zone", "day", "expected"),
    [
        (
            "America/New_York",
            "2027-11-07",
            {"n60": 25, "n30": 50, "n15": 100, "mwh": 250, "gas_day_hours_starting_06_prev": 25},
        ),
        (
            "America/Santiago",
            "2026-09-06",
            {"n60": 23, "n30": 46, "n15": 92, "mwh": 230, "gas_day_hours_starting_06_prev": 23},
        ),
        (
            "Australia/Lord_Howe",
            "2027-10-03",
            {"n60": 24, "n30": 47, "n15": 94, "mwh": 235, "gas_day_hours_starting_06_prev": 23.5},
        ),
        (
            "Pacific/Apia",
            "2011-12-30",
            {"n60": 0, "n30": 0, "n15": 0, "mwh": 0, "gas_day_hours_starting_06_prev": 24},
        ),
        (
            "Asia/Kathmandu",
            "2027-03-28",
            {"n60": 24, "n30": 48, "n15": 96, "mwh": 240, "gas_day_hours_starting_06_prev": 24},
        ),
    ],
)
def test_days_of_other_zones(tmp_path, zone, day, expected):
    inputs = {"date": day, "timezone": zone, "power_mw": 10}

    code, report = run(write(tmp_path, {"cases": [case(inputs=inputs, expected=expected)]}))

    assert report["cases"][0]["got"] == expected
    assert code == 0


def test_peak_without_holidays_of_the_case(tmp_path):
    inputs = {
        "timezone": "America/New_York",
        "start_hour": 7,
        "end_hour": 23,
        "weekdays": [0, 1, 2, 3, 4],
        "year": 2028,
        "holidays": ["2028-01-17"],
    }
    file = write(
        tmp_path,
        {"cases": [case(topic="delivery_hours_peak", inputs=inputs, expected={"peak": 0})]},
    )

    _, report = run(file)

    # January 2028 has 21 weekdays, one of them a holiday of the case.
    assert report["cases"][0]["got"]["peak"][0] == 20 * 16


def test_wrong_answers_fail_with_their_difference(tmp_path):
    wrong = case("wrong", expected={"n60": 24, "n30": 46.5, "mwh": "230.4"}, tolerance="0.5")

    code, report = run(write(tmp_path, {"cases": [case("right"), wrong]}))

    assert code == 1
    assert report["summary"] == {"pass": 1, "fail": 1, "unsupported": 0}
    failed = report["cases"][1]
    assert failed["difference"] == {"n60": -1, "n30": -0.5, "mwh": -0.4}
    assert (failed["expected"]["n60"], failed["got"]["n60"]) == (24, 23)


def test_model_that_refuses_its_inputs_is_a_failure_with_its_words(tmp_path):
    inputs = {"date": "2027-03-28", "timezone": "Europe/Bonn"}

    code, report = run(write(tmp_path, {"cases": [case(inputs=inputs)]}))

    assert code == 1
    assert report["cases"][0]["status"] == "fail"
    assert "UnknownZone: zone: 'Europe/Bonn'" in report["cases"][0]["reason"]


def test_answer_that_the_model_does_not_have_fails_as_missing(tmp_path):
    _, report = run(write(tmp_path, {"cases": [case(expected={"n60": 23, "n7": 1})]}))

    assert report["cases"][0]["status"] == "fail"
    assert report["cases"][0]["difference"] == {"n60": 0, "n7": "missing"}


def test_groups_become_cases_of_their_own(tmp_path):
    group = {
        "id": "dst_day",
        "tolerance": 0.5,
        "items": [
            {"date": "2027-03-28", "timezone": "Europe/Berlin", "expect": "valid"},
            {"date": "2027-03-28", "timezone": "Europe/Berlin"},
        ],
    }

    code, report = run(write(tmp_path, {"meta": {}, "groups": [group]}))

    assert code == 1
    first, second = report["cases"]
    assert (first["id"], first["status"]) == ("dst_day[0]", "fail")
    assert (second["status"], second["reason"]) == (
        "unsupported",
        "the case states no expected answer",
    )


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ("{", "is not JSON"),
        ("[]", 'a list "cases"'),
        ('{"cases": 1}', 'a list "cases"'),
        ('{"cases": []}', "holds no case"),
        ('{"cases": [1]}', r"cases\[0\] must be an object"),
        ('{"cases": [{"id": 1}]}', r"cases\[0\].id must be text"),
        ('{"cases": [{"id": "a", "topic": "t", "inputs": []}]}', "inputs must be an object"),
        ('{"cases": [{"id": "a", "topic": "t", "inputs": {}}]}', "expected is missing"),
        ('{"cases": [{"id": "a", "id": "b"}]}', "key 'id' is there twice"),
        ('{"cases": [{"id": NaN}]}', "NaN is not a JSON number"),
        ({"cases": [case(), case()]}, "id 'c1' is there twice"),
        ({"cases": [case(tolerance=-1)]}, "tolerance must be finite and not negative, not -1"),
        ({"cases": [case(tolerance="wide")]}, "tolerance must be a number, not 'wide'"),
        ({"cases": [case(tolerance=[1])]}, "tolerance must be a number"),
        ({"cases": [case(tolerance={"n60": "NaN"})]}, "tolerance.n60 must be finite"),
        ({"groups": [{"items": []}]}, r"groups\[0\] must be an object with an id"),
        ({"groups": [{"id": "a"}]}, "items must be a list"),
        ({"groups": [{"id": "a", "items": [1]}]}, r"items\[0\] must be an object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_malformed_files_are_refused_with_the_place(tmp_path, document, message):
    with pytest.raises(CommandError, match=message):
        call_command("validate_models", write(tmp_path, document))


def test_files_that_cannot_be_read_or_written_are_refused(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("validate_models", tmp_path / "absent.json")
    (tmp_path / "latin.json").write_bytes(b'{"cases": "\xe9"}')
    with pytest.raises(CommandError, match="not JSON in UTF-8"):
        call_command("validate_models", tmp_path / "latin.json")
    with pytest.raises(CommandError, match=r"^--json: .* cannot be written"):
        call_command("validate_models", write(tmp_path, {"cases": [case()]}), json=str(tmp_path))


def test_filters_that_choose_nothing_are_refused(tmp_path):
    file = write(tmp_path, {"cases": [case("a"), case("b", topic="other")]})

    with pytest.raises(CommandError, match="the file has no black76; it has dst_day, other"):
        call_command("validate_models", file, topic=["black76"])
    with pytest.raises(CommandError, match="the file has no case z"):
        call_command("validate_models", file, ids=["z"])
    with pytest.raises(CommandError, match="no case of the chosen topics"):
        call_command("validate_models", file, topic=["dst_day"], ids=["b"])


def test_people_get_tables_and_the_report_goes_to_a_file(tmp_path):
    file = write(
        tmp_path, {"cases": [case(), case("[bold]odd", expected={"n60": 99}), case("x", topic="t")]}
    )
    output = io.StringIO()

    with pytest.raises(SystemExit) as stop:
        call_command("validate_models", file, json=str(tmp_path / "out.json"), stdout=output)

    assert stop.value.code == 1
    shown = output.getvalue()
    assert "1 pass, 1 fail, 1 unsupported" in shown
    assert "[bold]odd" in shown and "c1" not in shown
    assert json.loads((tmp_path / "out.json").read_text())["summary"]["fail"] == 1


def test_passed_cases_are_listed_on_request(tmp_path):
    output = io.StringIO()

    call_command("validate_models", write(tmp_path, {"cases": [case()]}), all=True, stdout=output)

    assert "c1" in output.getvalue()
