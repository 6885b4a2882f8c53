"""Bodies that are files: handed on as the bytes that came, whatever they call themselves."""

from typing import Any

from rest_framework.parsers import BaseParser


class FileParser(BaseParser):
    """Hand the body on as bytes."""

    media_type = "*/*"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        return stream.read()
