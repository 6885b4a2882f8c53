import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from energyopti.embedded.errors import ServerUnavailable, explain_output, explained
from energyopti.embedded.servers import start_servers
from energyopti.embedded.valkey import EmbeddedValkey


@pytest.fixture
def small_disk(folder: Path) -> Iterator[Path]:
    """A file system of 1 MB."""
    mount_point = folder / "small"
    mount_point.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m,mode=0711", "tmpfs", mount_point],
        check=False,
        capture_output=True,
        text=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"cannot mount a small disk: {mounted.stderr.strip()}")
    yield mount_point
    subprocess.run(["umount", mount_point], check=True)


def test_full_disk_says_how_much_is_free(small_disk: Path) -> None:
    with pytest.raises(ServerUnavailable, match=r"disk that holds .* is full \(1 MB free\)"):
        EmbeddedValkey(small_disk / "valkey").start()


def test_write_on_a_full_disk_becomes_the_same_sentence(small_disk: Path) -> None:
    with (
        pytest.raises(ServerUnavailable, match=r"is full \(0 MB free\): free some space"),
        explained(small_disk),
    ):
        (small_disk / "large").write_bytes(bytes(2_000_000))


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        (errno.EROFS, "is not ours to write (Read-only file system)"),
        (errno.EACCES, "is not ours to write (Permission denied)"),
        (errno.ENOTDIR, "is in the way (Not a directory)"),
    ],
)
def test_refusals_of_the_file_system_become_sentences(folder: Path, code, sentence) -> None:
    with pytest.raises(ServerUnavailable) as refusal, explained(folder):
        raise OSError(code, os.strerror(code), "/srv/state")

    assert str(refusal.value).startswith(f"/srv/state {sentence}: ")


def test_other_errors_of_the_system_stay_what_they_are(folder: Path) -> None:
    with pytest.raises(OSError, match="Input/output error"), explained(folder):
        raise OSError(errno.EIO, "Input/output error")


@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        (
            "postgres: error while loading shared libraries: libz.so.1: cannot open shared object",
            (
                "PostgreSQL needs the system library libz.so.1, which this machine lacks: "
                "install it (Debian: apt-get install zlib1g) and start again."
            ),
        ),
        (
            "postgres: error while loading shared libraries: libodd.so.3: cannot open",
            (
                "PostgreSQL needs the system library libodd.so.3, which this machine lacks: "
                "install it and start again."
            ),
        ),
        (
            'FATAL:  could not write to file "pg_wal/xlogtemp.7": No space left on device',
            "The disk that holds ",
        ),
        (
            "FATAL:  could not map anonymous shared memory: Cannot allocate memory",
            "PostgreSQL could not get the memory it asked for: ",
        ),
    ],
)
def test_output_of_a_failed_server_is_recognized(folder: Path, output: str, sentence: str) -> None:
    error = explain_output(server="PostgreSQL", output=output, folder=folder)

    assert str(error).startswith(sentence)


def test_unknown_output_is_left_to_the_server(folder: Path) -> None:
    assert explain_output(server="PostgreSQL", output="Segmentation fault", folder=folder) is None


def test_missing_wheels_name_the_variable_that_helps(folder: Path) -> None:
    """A fresh interpreter without site-packages is a machine where nothing is installed."""
    script = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from energyopti.embedded import mqtt, postgres, valkey\n"
        "from energyopti.embedded.errors import ServerUnavailable\n"
        "mqtt.SYSTEM_FOLDERS = ''\n"
        "for find in (postgres.find_programs, valkey.find_program,\n"
        "             mqtt.EmbeddedMqtt(sys.argv[2])._prepare):\n"
        "    try: find()\n"
        "    except ServerUnavailable as error: print(error)\n"
    )
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", script, str(project), str(folder)],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": "/nowhere"},
    )

    sentences = done.stdout.splitlines()
    assert [sentence.rsplit("set ", 1)[1].split()[0] for sentence in sentences] == [
        "DATABASE_URL",
        "REDIS_URL",
        "MQTT_URL",
    ]


def test_package_imports_neither_django_nor_anything_of_ours() -> None:
    script = (
        "import sys, energyopti.embedded.servers, energyopti.embedded.__main__\n"
        "print(sorted({name.split('.')[0] for name in sys.modules} - sys.stdlib_module_names))\n"
        "print(sorted(n for n in sys.modules if n.startswith('energyopti.')\n"
        "             and not n.startswith('energyopti.embedded')))\n"
    )
    project = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-S", "-c", script],
        capture_output=True,
        text=True,
        check=True,
        cwd=project,
        env={"PYTHONPATH": str(project)},
    )

    assert done.stdout.splitlines() == ["['__main__', 'energyopti']", "[]"]


def test_folder_in_the_way_is_named(folder: Path) -> None:
    (folder / "state").write_text("a file")

    with pytest.raises(ServerUnavailable, match="state is in the way"):
        start_servers(folder / "state", durable=False, environ={})
