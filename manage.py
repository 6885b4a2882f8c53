#!/usr/bin/env python
"""Run the project's management commands; the settings default to those of a developer's machine."""

import gc
import os
import sys

# A start allocates half a million objects that stay: looking for garbage among them at the usual
# 700 takes a fifth of it.
gc.set_threshold(50_000)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "energyopti.settings.local")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
