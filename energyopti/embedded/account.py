"""
The account servers run under, and folders it can reach.

PostgreSQL refuses to run as root, and the others need none of root's rights: when we are root the
servers run as `nobody`. A folder behind a closed parent (`/root`) is then out of reach, and a
shelter under `/var/tmp` takes its place.
"""

import hashlib
import os
import pwd
import shutil
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from energyopti.embedded.errors import ServerUnavailable, explain_output, explained

SHELTER_PARENT = Path("/var/tmp")  # noqa: S108  (owner and kind are checked before use)


@dataclass(frozen=True)
class Account:
    """A user and group id for a server; `None` in its place means ourselves."""

    uid: int
    gid: int


def account_for(folder: Path) -> Account | None:
    """
    Choose the account for a server whose files are in `folder`, which need not exist yet.

    :raises ServerUnavailable: root on a machine without an ordinary account `nobody`.
    """
    if os.geteuid() != 0:
        return None
    if folder.exists() and (status := folder.stat()).st_uid != 0:
        return Account(status.st_uid, status.st_gid)  # made earlier, perhaps by a person
    try:
        nobody = pwd.getpwnam("nobody")
    except KeyError:
        raise ServerUnavailable(
            "PostgreSQL refuses to run as root and this machine has no account `nobody`: "
            "run the command as an ordinary user."
        ) from None
    return Account(nobody.pw_uid, nobody.pw_gid)


def process_options(account: Account | None) -> dict[str, Any]:
    """Return the arguments that make `subprocess` run a program under `account`."""
    if account is None:
        return {}
    return {"user": account.uid, "group": account.gid, "extra_groups": []}


def can_enter(folder: Path, account: Account | None) -> bool:
    """Tell, by trying, whether `account` can enter `folder`."""
    attempt = subprocess.run(
        ["/bin/sh", "-c", 'cd "$1"', "sh", str(folder)],
        cwd="/",
        stderr=subprocess.DEVNULL,
        check=False,
        **process_options(account),
    )
    return attempt.returncode == 0


def shelter() -> Path:
    """
    Return our own folder under /var/tmp, made when missing.

    :raises ServerUnavailable: the name is taken by somebody else's folder or link.
    """
    folder = SHELTER_PARENT / f"energyopti-{os.geteuid()}"
    with explained(folder):
        try:
            folder.mkdir(mode=0o711)
        except FileExistsError:
            status = folder.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
                raise ServerUnavailable(
                    f"{folder} belongs to somebody else: remove it and start again."
                ) from None
        folder.chmod(0o711)
    return folder


def private_folder(data_dir: Path, name: str, account: Account | None) -> Path:
    """
    Return the folder `name` in `data_dir`, or its shelter, owned by `account` and closed to others.

    :raises ServerUnavailable: no place that `account` can reach.
    """
    folder = data_dir / name
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
        if account is not None:
            data_dir.chmod(data_dir.stat().st_mode | 0o011)
            if not can_enter(data_dir, account):
                digest = hashlib.sha256(str(data_dir.resolve()).encode()).hexdigest()[:16]
                folder = shelter() / f"{name}-{digest}"
                folder.mkdir(exist_ok=True)
                (data_dir / "moved-to").write_text(f"{folder}\n")
                if not can_enter(folder, account):
                    raise ServerUnavailable(
                        f"Neither {data_dir} nor {folder} can be entered by user {account.uid}, "
                        "under whom the server must run: name a folder that everybody can enter."
                    )
            os.chown(folder, account.uid, account.gid)
        folder.chmod(0o700)
    return folder


def write_as(account: Account | None, path: Path, text: str) -> None:
    """
    Write `text` to `path`, closed to others, under `account` itself.

    Were root to write into a folder of `nobody`, another of nobody's processes could lay a link
    there and have any file overwritten.
    """
    written = subprocess.run(
        ["/bin/sh", "-c", 'umask 077; rm -f "$1"; cat > "$1"', "sh", str(path)],
        input=text,
        capture_output=True,
        text=True,
        cwd="/",
        check=False,
        **process_options(account),
    )
    if written.returncode != 0:
        raise explain_output(server="The shell", output=written.stderr, folder=path) or (
            ServerUnavailable(f"{path} could not be written: {written.stderr.strip()}.")
        )


def reachable_copy(source: Path, label: str, account: Account | None) -> Path:
    """
    Return `source`, a file or tree of programs, or a copy of it that `account` can reach.

    label   names the copy; programs of another version carry another label
    """
    entrance = source if source.is_dir() else source.parent
    if account is None or can_enter(entrance, account):
        return source
    copy = shelter() / label
    if not copy.exists():
        with explained(copy):
            draft = copy.with_name(f"{copy.name}.{os.getpid()}")
            if source.is_dir():
                shutil.copytree(source, draft, symlinks=True)
                draft.chmod(0o755)
            else:
                draft.mkdir()
                shutil.copy2(source, draft / source.name)
            try:
                draft.rename(copy)
            except OSError:
                # Somebody copied the same at the same time; theirs is as good.
                shutil.rmtree(draft)
                if not copy.exists():
                    raise
    return copy if source.is_dir() else copy / source.name
