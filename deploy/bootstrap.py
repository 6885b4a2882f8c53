#!/usr/bin/env python3
"""
Make a fresh machine ready: `.venv` from the lock, system libraries, the front-end bundle.

Standard library only, because nothing else is there yet. Every refusal is a sentence that says
what to do. `make demo` and `make test` call it; a second call takes a moment.
"""

import argparse
import ctypes.util
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
LOCK = ROOT / "requirements.txt"
BUNDLE = ROOT / "static_build"
NEEDED_BYTES = 3 * 1024**3
LOCK_HEADER = "# made from the dependencies of pyproject.toml with sha256 "

# What a wheel cannot bring: (Debian packages, what goes missing without them, how to tell)
PANGO = (
    ["libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0"],
    "PDF exports (csv, json and xlsx work without)",
    lambda: all(map(ctypes.util.find_library, ["pango-1.0", "pangoft2-1.0", "harfbuzz-subset"])),
)
FONTS = (
    ["fonts-dejavu-core"],
    "readable text in PDF exports",
    lambda: (
        any(Path("/usr/share/fonts").rglob("*.ttf")) or any(Path("/usr/share/fonts").rglob("*.otf"))
    ),
)
MOSQUITTO = (
    ["mosquitto"],
    "a broker that survives being killed (amqtt, in Python, is used instead)",
    lambda: shutil.which("mosquitto", path=os.environ.get("PATH", "") + ":/usr/sbin") is not None,
)
CHROMIUM = (
    ["chromium"],
    "browser tests (they are skipped)",
    lambda: shutil.which("chromium") is not None,
)


class NotReady(Exception):
    """The machine lacks something; the message is a sentence that says what to do."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("purpose", choices=["demo", "test", "lock", "check-lock"])
    purpose = parser.parse_args().purpose
    try:
        if purpose == "check-lock":
            check_lock()
        elif purpose == "lock":
            make_lock()
        else:
            check_python()
            check_lock()
            install_system_libraries(
                [PANGO, FONTS, MOSQUITTO] + ([CHROMIUM] if purpose == "test" else [])
            )
            install_packages()
            build_frontend()
    except NotReady as reason:
        print(f"\n{reason}", file=sys.stderr)
        return 1
    return 0


def check_python() -> None:
    if sys.version_info[:2] != (3, 11):
        raise NotReady(
            f"EnergyOpti-Pro needs Python 3.11 and this is {sys.version.split()[0]}. "
            "Install python3.11 and python3.11-venv, or name it: make PYTHON=/path/to/python3.11"
        )


def dependencies_digest() -> str:
    """Return the sha256 of the dependency lists of pyproject.toml, whatever their layout."""
    import tomllib

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    lists = [project["dependencies"], project["optional-dependencies"]]
    return hashlib.sha256(json.dumps(lists, sort_keys=True).encode()).hexdigest()


def check_lock() -> None:
    try:
        first = LOCK.read_text().splitlines()[0]
    except (OSError, IndexError):
        raise NotReady(
            "requirements.txt is missing: check it out again, or run `make lock`."
        ) from None
    if first != LOCK_HEADER + dependencies_digest():
        raise NotReady(
            "requirements.txt is stale: pyproject.toml lists other dependencies than it was made "
            "from. Run `make lock` and commit both, or check both out again."
        )


def make_lock() -> None:
    uv = VENV / "bin" / "uv"
    if not uv.exists():
        raise NotReady("`make lock` needs .venv/bin/uv: run `make test` once on a clean checkout.")
    run(
        [
            str(uv),
            "pip",
            "compile",
            "pyproject.toml",
            "--extra",
            "server",
            "--extra",
            "embedded",
            "--extra",
            "test",
            "--generate-hashes",
            "--no-emit-index-url",
            "--no-emit-find-links",
            "--no-annotate",
            "--no-header",
            "--python-version",
            "3.11",
            "--quiet",
            "-o",
            str(LOCK),
        ],
        "the lock could not be made",
    )
    LOCK.write_text(LOCK_HEADER + dependencies_digest() + "\n" + LOCK.read_text())


def install_packages() -> None:
    stamp = VENV / ".installed"
    wanted = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return
    free = shutil.disk_usage(ROOT).free
    if free < NEEDED_BYTES:
        raise NotReady(
            f"{ROOT} has {free / 1024**3:.1f} GB free and the packages need 3 GB. "
            "Free some space and run the command again."
        )
    say("Installing the locked packages into .venv")
    if not (VENV / "bin" / "pip").exists():
        run(
            [sys.executable, "-m", "venv", "--clear", str(VENV)],
            "python3.11 could not make .venv: on Debian and Ubuntu install python3.11-venv",
        )
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as installer:
        installer.write(locked_block("uv"))
        installer.flush()
        run(
            [
                str(VENV / "bin" / "pip"),
                "install",
                "--quiet",
                "--disable-pip-version-check",
                "--require-hashes",
                "-r",
                installer.name,
            ],
            "the installer could not be fetched: is the package index reachable",
        )
    run(
        [
            str(VENV / "bin" / "uv"),
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--python",
            str(VENV / "bin" / "python"),
            str(LOCK),
        ],
        "the locked packages could not be installed: is the package index reachable, the disk "
        "full, or a hash in requirements.txt changed",
    )
    stamp.write_text(wanted)


def locked_block(name: str) -> str:
    """Return the lines of the lock that belong to one package, with its hashes."""
    found = re.search(rf"^{name}==.*?(?=^[a-z0-9]|\Z)", LOCK.read_text(), re.M | re.S)
    if found is None:
        raise NotReady(f"requirements.txt does not lock {name}: run `make lock`.")
    return found.group()


def install_system_libraries(wanted: list) -> None:
    missing = [entry for entry in wanted if not entry[2]()]
    if not missing:
        return
    packages = [package for entry in missing for package in entry[0]]
    command = apt_command()
    if command is not None:
        say("Installing " + " ".join(packages))
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for arguments in (["update", "-qq"], ["install", "-y", "-qq", *packages]):
            result = subprocess.run(
                [*command, *arguments],
                env=environment,
                capture_output=True,
                text=True,
                stdin=subprocess.DEVNULL,
            )
            if result.returncode:
                break
    for names, purpose, present in missing:
        if not present():
            say(f"Missing: {purpose}. To have it: sudo apt-get install {' '.join(names)}")


def apt_command() -> "list[str] | None":
    if shutil.which("apt-get") is None:
        return None
    if os.geteuid() == 0:
        return ["apt-get"]
    if (
        shutil.which("sudo")
        and subprocess.run(["sudo", "-n", "true"], capture_output=True).returncode == 0
    ):
        return ["sudo", "-n", "apt-get"]
    return None


def build_frontend() -> None:
    """Bundle what pages use of npm where there is an npm; pages work without the bundle."""
    lock = ROOT / "package-lock.json"
    if not lock.exists():
        return
    sources = [lock, ROOT / "package.json", *sorted((ROOT / "deploy" / "frontend").iterdir())]
    wanted = hashlib.sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()
    stamp = BUNDLE / ".built"
    if stamp.exists() and stamp.read_text() == wanted:
        return
    environment = {**os.environ, "PATH": f"{os.environ.get('PATH', '')}:{VENV / 'bin'}"}
    npm = shutil.which("npm", path=environment["PATH"])
    if npm is None:
        say("No npm here: charts show their data tables instead of pictures.")
        return
    say("Bundling the charts")
    for arguments in (["ci", "--no-audit", "--no-fund"], ["run", "build"]):
        result = subprocess.run(
            [npm, *arguments],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
        )
        if result.returncode:
            reason = (result.stderr or result.stdout).strip().splitlines()
            say(
                f"`npm {arguments[0]}` did not work ({reason[-1] if reason else 'no message'}): "
                "charts show their data tables instead of pictures."
            )
            return
    stamp.write_text(wanted)


def run(command: "list[str]", otherwise: str) -> None:
    """Run a step; its own words come before our sentence when it fails."""
    result = subprocess.run(
        command, cwd=ROOT, text=True, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL
    )
    if result.returncode:
        last = result.stderr.strip()[-1500:]
        raise NotReady(f"{last}\n\n{otherwise[0].upper() + otherwise[1:]}." if last else otherwise)


def say(sentence: str) -> None:
    print(f"· {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
