"""How cells are read and written: each widget's `render` is the inverse of its `clean`."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from import_export.widgets import Widget

from energyopti.foundation.texts import check_plain
from trading.reference import CollateralTerms

_MINUTE = timedelta(minutes=1)


class Cell(Widget):
    """A cell that may be empty only where it is optional; then it stands for `empty`."""

    empty: Any = None

    def __init__(self, *, optional: bool = False) -> None:
        super().__init__()
        self.optional = optional

    def clean(self, value: Any, row: Any = None, **_: Any) -> Any:
        if not isinstance(value, str):
            return value
        if value == "":
            if self.optional:
                return self.empty
            raise ValueError("It is empty.")
        return self.read(value)

    def render(self, value: Any, obj: Any = None, **_: Any) -> str:
        return "" if value is None or value == "" or value == () else self.write(value)

    def read(self, text: str) -> Any:
        raise NotImplementedError

    def write(self, value: Any) -> str:
        return str(value)


class Text(Cell):
    """Words, which no spreadsheet may take for a formula."""

    empty = ""

    def read(self, text: str) -> str:
        check_plain(text)
        return text


class Choice(Text):
    """One of the words of an enumeration."""

    def __init__(self, choices: Any, *, optional: bool = False) -> None:
        super().__init__(optional=optional)
        self.values = tuple(choices.values)

    def read(self, text: str) -> str:
        if text not in self.values:
            raise ValueError(f"“{text}” is none of {', '.join(self.values)}.")
        return text


class Whole(Cell):
    """A whole number."""

    def read(self, text: str) -> int:
        try:
            return int(text) if text.lstrip("-").isascii() else int("")
        except ValueError:
            raise ValueError(f"“{text}” is not a whole number.") from None


class Number(Cell):
    """A decimal number with a point."""

    def read(self, text: str) -> Decimal:
        try:
            number = Decimal(text) if text.isascii() and "_" not in text else Decimal("NaN")
        except InvalidOperation:
            number = Decimal("NaN")
        if not number.is_finite():
            raise ValueError(f"“{text}” is not a decimal number such as 1234.5.")
        return number

    def write(self, value: Decimal) -> str:
        return f"{value.normalize():f}"


class Day(Cell):
    """A date as 2027-03-28."""

    def read(self, text: str) -> date:
        try:
            return date.fromisoformat(text) if len(text) == 10 else date.fromisoformat("")
        except ValueError:
            raise ValueError(f"“{text}” is not a date such as 2027-03-28.") from None

    def write(self, value: date) -> str:
        return value.isoformat()


class Instant(Cell):
    """A time with its offset from UTC, as 2027-03-26T15:00:00+00:00; written in UTC."""

    def read(self, text: str) -> datetime:
        try:
            instant = datetime.fromisoformat(text)
        except ValueError:
            instant = None
        if instant is None or instant.utcoffset() is None:
            raise ValueError(f"“{text}” is not a time with offset such as 2027-03-26T15:00+00:00.")
        return instant.astimezone(UTC)

    def write(self, value: datetime) -> str:
        return value.astimezone(UTC).isoformat()


class Clock(Cell):
    """A time of day as 12:45."""

    def read(self, text: str) -> time:
        minutes = _minutes(text)
        if minutes == 1440:
            raise ValueError("24:00 is the next day's 00:00.")
        return time(minutes // 60, minutes % 60)

    def write(self, value: time) -> str:
        return value.isoformat(timespec="minutes")


class MinuteOfDay(Cell):
    """Minutes as 08:00, up to 24:00."""

    def read(self, text: str) -> int:
        return _minutes(text)

    def write(self, value: int) -> str:
        return f"{value // 60:02d}:{value % 60:02d}"


class DayStart(Cell):
    """When a delivery day starts: 06:00, or 23:00-1 for 23:00 of the day before."""

    def read(self, text: str) -> timedelta:
        minutes = _minutes(text.removesuffix("-1"))
        if minutes == 1440:
            raise ValueError("A day starts before 24:00.")
        return (minutes - 1440 * text.endswith("-1")) * _MINUTE

    def write(self, value: timedelta) -> str:
        minutes = value // _MINUTE
        before = "-1" if minutes < 0 else ""
        return f"{minutes % 1440 // 60:02d}:{minutes % 60:02d}{before}"


class YesNo(Cell):
    """yes or no."""

    def read(self, text: str) -> bool:
        if text not in ("yes", "no"):
            raise ValueError(f"“{text}” is neither yes nor no.")
        return text == "yes"

    def write(self, value: bool) -> str:
        return "yes" if value else "no"


class Words(Cell):
    """Codes with a semicolon between them; their order is nothing."""

    empty: tuple[str, ...] = ()

    def read(self, text: str) -> tuple[str, ...]:
        check_plain(text)
        words = [word.strip() for word in text.split(";")]
        if "" in words or len(set(words)) != len(words):
            raise ValueError(f"“{text}” is not a list of different codes such as BASE;PEAK.")
        return tuple(sorted(words))

    def write(self, value: Sequence[str]) -> str:
        return ";".join(value)


class Collateral(Cell):
    """Kind, currency and haircut as CASH EUR 0;GOVERNMENT_BOND EUR 0.02."""

    empty: tuple[CollateralTerms, ...] = ()

    def read(self, text: str) -> tuple[CollateralTerms, ...]:
        check_plain(text)
        lines = []
        for part in text.split(";"):
            words = part.split()
            if len(words) != 3:
                raise ValueError(f"“{part.strip()}” is not kind, currency and haircut.")
            lines.append(CollateralTerms(words[0], words[1], Number().read(words[2])))
        return tuple(sorted(lines))

    def write(self, value: Sequence[CollateralTerms]) -> str:
        return ";".join(
            f"{each.kind} {each.currency} {each.haircut.normalize():f}" for each in value
        )


class AsGiven(Cell):
    """A value that was read before it came here."""

    def render(self, value: Any, obj: Any = None, **_: Any) -> str:
        return "; ".join(f"{day} {name}" for day, name in value or ())


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if not (len(hours) == len(minutes) == 2 and (hours + minutes).isascii()):
        raise ValueError(f"“{text}” is not a time of day such as 08:00.")
    if not (hours + minutes).isdigit() or int(minutes) > 59 or int(hours) * 60 > 1440:
        raise ValueError(f"“{text}” is not a time of day such as 08:00.")
    total = int(hours) * 60 + int(minutes)
    if total > 1440:
        raise ValueError(f"“{text}” is later than 24:00.")
    return total
