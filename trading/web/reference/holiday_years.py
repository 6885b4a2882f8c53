"""Publish a year of a holiday calendar: read, shown beside what holds, published with a reason."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import Any

from django import forms
from django.contrib import messages
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse

from energyopti.accounts.requests import actor_of, require_permission
from trading.queries.reference import holiday_rows, holiday_terms
from trading.reference import HolidayTerms
from trading.services.shapes import publish_holidays

from .places import FIRST_YEAR, LAST_YEAR, MANAGE, WAYS

LARGEST_FILE = 100_000


class HolidayYearForm(forms.Form):
    """The dates of one year, typed or from a file, and why they are published."""

    year = forms.IntegerField(min_value=FIRST_YEAR, max_value=LAST_YEAR)
    dates = forms.CharField(
        required=False, max_length=LARGEST_FILE, widget=forms.Textarea(attrs={"rows": 12}),
        help_text="One a line: 2028-12-25, Christmas Day. All of the year; none is a year without.",
    )  # fmt: skip
    file = forms.FileField(
        required=False, label="Or a file (CSV)", help_text="Columns date and name, as above.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )  # fmt: skip
    source = forms.CharField(max_length=200, help_text="Who says so, such as a law or an exchange.")
    reason = forms.CharField(max_length=400, help_text="Why it is published now.")

    def clean(self) -> dict[str, Any]:
        found = super().clean() or {}
        file = found.get("file")
        if file is not None:
            if file.size > LARGEST_FILE:
                self.add_error("file", f"must have at most {LARGEST_FILE:,} bytes.")
                return found
            try:
                found["dates"] = file.read().decode("utf-8-sig")
            except UnicodeDecodeError:
                self.add_error("file", "must be UTF-8 text.")
                return found
        if not self.errors:
            try:
                found["days"] = _days(found["dates"], found["year"])
            except ValueError as error:
                self.add_error("file" if file is not None else "dates", str(error))
        return found


def _days(text: str, year: int) -> dict[date, str]:
    """
    Return the holidays that lines of `date, name` say.

    :raises ValueError: naming the line and what is wrong with it.
    """
    days: dict[date, str] = {}
    for number, row in enumerate(csv.reader(text.splitlines()), start=1):
        cells = [cell.strip() for cell in row]
        if not any(cells) or (number == 1 and cells == ["date", "name"]):
            continue
        if len(cells) != 2 or not cells[1] or len(cells[1]) > 80:
            raise ValueError(f"line {number}: write a date, a comma and a name.")
        try:
            day = date.fromisoformat(cells[0])
        except ValueError as error:
            raise ValueError(f"line {number}: “{cells[0]}” is no date like 2028-12-25.") from error
        if day.year != year:
            raise ValueError(f"line {number}: {day} is not in {year}.")
        if day in days:
            raise ValueError(f"line {number}: {day} is there twice.")
        days[day] = cells[1]
    return days


def _next_version(held: HolidayTerms, year: int, days: Mapping[date, str], source: str) -> Any:
    """
    Return the version that has a year anew and all else as it is.

    :raises ValidationError: for a year with a gap between it and what the calendar speaks for.
    """
    first, last = date(year, 1, 1), date(year, 12, 31)
    if first.year > held.covers_last.year + 1 or last.year < held.covers_first.year - 1:
        raise ValidationError(
            {"year": f"The calendar speaks for {held.covers_first} to {held.covers_last}; "
                     "publish the years between first."}
        )  # fmt: skip
    kept = {day: name for day, name in held.holidays if day.year != year}
    return replace(
        held,
        version=held.version + 1,
        covers_first=min(held.covers_first, first),
        covers_last=max(held.covers_last, last),
        source=source,
        holidays=tuple(sorted({**kept, **days}.items())),
    )


def _difference(held: HolidayTerms, wanted: HolidayTerms) -> list[tuple[date, str, str, str]]:
    """Return day by day what is added, gone or renamed: date, what, before, after."""
    before, after = dict(held.holidays), dict(wanted.holidays)
    rows = []
    for day in sorted(before.keys() | after.keys()):
        old, new = before.get(day, ""), after.get(day, "")
        if old != new:
            what = "added" if not old else "gone" if not new else "renamed"
            rows.append((day, what, old or "–", new or "–"))
    return rows


@WAYS
@require_permission(MANAGE)
def publish_year(request: HttpRequest, code: str) -> HttpResponse:
    """Ask for a year's holidays, show what changes, and publish the next version."""
    actor = actor_of(request)
    row = holiday_rows(actor).filter(calendar__code=code).last()
    if row is None:
        raise Http404(f"There is no holiday calendar “{code}”.")
    held = holiday_terms(row)
    data = request.POST.copy() if request.method == "POST" else None
    form = HolidayYearForm(data, request.FILES or None, initial={"year": held.covers_last.year + 1})
    shown: dict[str, Any] = {}
    if data is not None and form.is_valid():
        entered = form.cleaned_data
        data["dates"] = entered["dates"]  # what a file said stands in the form from now on
        try:
            wanted = _next_version(held, entered["year"], entered["days"], entered["source"])
            told = repr((wanted, held.version)).encode()
            shown = {
                "wanted": wanted,
                "rows": _difference(held, wanted),
                "fingerprint": hashlib.sha256(told).hexdigest(),
            }
            if data.get("previewed") == shown["fingerprint"]:
                publish_holidays(actor=actor, terms=wanted, reason=entered["reason"])
                messages.success(request, f"{code} version {wanted.version} is published.")
                return HttpResponseRedirect(reverse("trading:holidays", args=[code]))
        except ValidationError as error:
            shown = {}
            for field, words in getattr(error, "message_dict", {"": error.messages}).items():
                form.add_error(field if field in form.fields else None, words)
    context = {"calendar": row.calendar, "held": held, "form": form, "shown": shown}
    return render(
        request, "reference/holiday_year.html", context, status=422 if form.errors else 200
    )
