"""A partner does what docs/partners.md says, with the commands that stand there."""

import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from energyopti.accounts.services.roles import synchronize_roles
from tests.factories.accounts import make_key, make_organization

pytestmark = [pytest.mark.slow, pytest.mark.django_db(transaction=True)]
GUIDE = Path(__file__).resolve().parents[2] / "docs" / "partners.md"


def commands_of_the_guide() -> str:
    blocks = re.findall(r"```sh\n(.*?)```", GUIDE.read_text(), flags=re.DOTALL)
    assert len(blocks) == 2, "the guide has one command for the token and one for the call"
    return "\n".join(blocks)


def run(script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    return subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        env={"PATH": os.environ["PATH"], "NO_PROXY": "*", **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )


def test_partner_gets_a_token_and_calls_the_api(live_server) -> None:
    synchronize_roles()
    ours = make_organization("Solar Cooperative")
    make_organization("Somebody else")
    client, secret = make_key("organizations:read", organization=ours)

    done = run(
        commands_of_the_guide(),
        SITE=live_server.url,
        CLIENT_ID=client.client_id,
        CLIENT_SECRET=secret,
    )

    assert done.returncode == 0, done.stderr
    names = [row["name"] for row in json.loads(done.stdout)["results"]]
    assert names == ["Solar Cooperative"]
    client.refresh_from_db()
    assert client.latest_use_at is not None


def test_wrong_secret_stops_the_script(live_server) -> None:
    synchronize_roles()
    client, _ = make_key("organizations:read")

    done = run(
        commands_of_the_guide(),
        SITE=live_server.url,
        CLIENT_ID=client.client_id,
        CLIENT_SECRET="not-the-secret",
    )

    assert done.returncode != 0
    assert "401" in done.stderr
