"""The administrator's panel: failed and unfinished jobs, followers that are behind."""

import pytest
from django.db.models.functions import Now
from django.test import Client

from energyopti.accounts.roles import Role
from energyopti.foundation.jobs.models import Job, JobState
from energyopti.observability.web.home import system_panel
from tests.factories.accounts import make_actor, make_organization

pytestmark = pytest.mark.django_db


def test_jobs_of_ones_organizations_are_counted(django_assert_max_num_queries):
    own, other = make_organization(), make_organization()
    admin = make_actor(Role.ADMIN, organization=own)
    for organization in (own, other):
        shared = {
            "kind": "test", "title": "A test", "task": "t.t", "organization_id": organization.pk,
            "requested_by": "user:x",
        }  # fmt: skip
        Job.objects.create(state=JobState.FAILED, finished_at=Now(), **shared)
        Job.objects.create(**shared)

    with django_assert_max_num_queries(16):
        panel = system_panel(admin)

    client = Client()
    client.force_login(admin.user, backend="django.contrib.auth.backends.ModelBackend")
    assert panel["jobs"] == {"failed": 1, "unfinished": 1}
    assert panel["parked"] == 0
    assert "Failed jobs" in client.get("/").content.decode()
