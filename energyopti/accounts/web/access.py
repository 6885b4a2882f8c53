"""Settings: the books and sites that a member was given, and the forms that give and withdraw."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from ..actors import Actor
from ..models import User
from ..queries.access import containers_of, grants_of
from ..queries.people import member_or_404
from ..requests import actor_of, require_permission
from ..services.grants import MANAGE, NotGranted, grant_access, revoke_access
from .forms import AccessForm


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_permission(MANAGE)
def access(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """List what the member was given; a post gives one level on one container more."""
    actor = actor_of(request)
    person = member_or_404(actor, user_id)
    form = AccessForm(request.POST or None, containers=containers_of(actor))
    if request.method == "POST" and form.is_valid():
        container, level = form.cleaned_data["container"], form.cleaned_data["level"]
        grant_access(
            actor=actor, user=person, kind=container.kind, container_id=container.id, level=level
        )
        messages.success(request, f"{person} now has “{level}” on {container.name}.")
        return redirect("accounts:member-access", user_id)
    return _page(request, actor, person, form)


@require_POST
@require_permission(MANAGE)
def withdraw(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """Take one level on one container back, after the page has asked."""
    actor = actor_of(request)
    person = member_or_404(actor, user_id)
    form = AccessForm(request.POST, containers=containers_of(actor))
    if not form.is_valid():
        return _page(request, actor, person, form)
    container, level = form.cleaned_data["container"], form.cleaned_data["level"]
    try:
        revoke_access(
            actor=actor, user=person, kind=container.kind, container_id=container.id, level=level
        )
    except NotGranted as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"{person} no longer has “{level}” on {container.name}.")
    return redirect("accounts:member-access", user_id)


def _page(request: HttpRequest, actor: Actor, person: User, form: AccessForm) -> HttpResponse:
    return render(
        request,
        "settings/access.html",
        {"member": person, "grants": grants_of(actor, person), "form": form},
        status=422 if form.errors else 200,
    )
