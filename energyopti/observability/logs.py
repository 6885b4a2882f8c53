"""
What a log line looks like: one JSON object, no control characters, no secrets.

`configure_logs` runs once a process, from the app's `ready()`.
"""

import logging
import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "***"
LONGEST_TEXT = 4000
SECRET_NAMES = re.compile(
    r"password|secret|token|authorization|cookie|api_?key|private_?key|credential|\bpan\b|\bcvv\b",
    re.IGNORECASE,
)
# Secrets that stand inside a text: query parameters, headers, PEM blocks, tokens, reset links.
SECRET_TEXT: tuple[tuple[re.Pattern[str], str], ...] = (
    (
        re.compile(
            r"(?i)\b([\w.-]*(?:password|passwd|secret|token|api_?key|code|credential|signature)"
            r"[\w.-]*)=[^&\s\"']+"
        ),
        r"\1=" + MASK,
    ),
    (re.compile(r"(?i)\b(bearer|basic)\s+[\w+/=._~-]{6,}"), r"\1 " + MASK),
    (re.compile(r"\beyJ[\w-]+\.[\w-]+\.[\w-]*"), MASK),
    (re.compile(r"-----BEGIN [A-Z ]+-----.*?(-----END [A-Z ]+-----|$)", re.DOTALL), MASK),
    (re.compile(r"(/password/reset/key/)[^/\s]+"), r"\1" + MASK),
    (re.compile(r"(://[^/\s:@]*:)[^@/\s]+@"), r"\1" + MASK + "@"),
    (re.compile(r"\b(?:\d[ -]?){12,15}(\d{4})\b(?!-\w)"), MASK + r"\1"),
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def clean(value: Any, *, name: str = "") -> Any:
    """
    Return a log value that can neither forge a line nor carry a secret.

    Control characters (line ends, ANSI escapes, bidirectional overrides) become visible escapes,
    long texts are cut, and what stands under a secret's name is masked, at any depth.
    """
    if name and SECRET_NAMES.search(name):
        return MASK
    if isinstance(value, str):
        return _clean_text(value)
    if isinstance(value, MutableMapping):
        return {_clean_text(str(key)): clean(item, name=str(key)) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [clean(item) for item in value]
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return _clean_text(str(value))


def clean_event(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Clean every value of a log event; the names that we give are ours, the rest is not."""
    return {
        _clean_text(str(key)): value if key.startswith("_") else clean(value, name=str(key))
        for key, value in event.items()
    }


def formatter(*, log_format: str = "json") -> logging.Formatter:
    """Build the formatter of `settings.LOGGING`: structlog's and the library's lines alike."""
    finish: list[Processor]
    if log_format == "console":
        finish = [structlog.dev.ConsoleRenderer(colors=False)]
    else:
        finish = [structlog.processors.JSONRenderer(ensure_ascii=True)]
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*_shared(), structlog.stdlib.ExtraAdder()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            clean_event,
            *finish,
        ],
    )


def configure_logs() -> None:
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_shared(),
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.processors.StackInfoRenderer(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )


def _shared() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]


def _clean_text(text: str) -> str:
    if len(text) > LONGEST_TEXT:
        text = f"{text[:LONGEST_TEXT]}… ({len(text)} characters)"
    for pattern, replacement in SECRET_TEXT:
        text = pattern.sub(replacement, text)
    return CONTROL.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
