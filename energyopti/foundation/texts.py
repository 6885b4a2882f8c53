"""Texts that people write: plain, short, and no formula to a spreadsheet that opens them."""

_FORMULA = frozenset("=+-@\t\r")


def check_plain(text: str) -> None:
    """
    Refuse a text that a spreadsheet would take for a formula.

    :raises ValueError: naming the character.
    """
    if text[:1] in _FORMULA:
        raise ValueError(f"A text does not begin with “{text[0]}”: it would be a formula.")


def check_words(text: str, *, most: int = 400) -> None:
    """
    Refuse what `check_plain` does, a text of more characters than `most`, and unreadable ones.

    :raises ValueError: with the rule.
    """
    check_plain(text)
    if "\x00" in text or len(text) > most:
        raise ValueError(f"Has at most {most} characters, and none that nobody can read.")
