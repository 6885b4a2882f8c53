"""Settings: one's own profile, the organization's API keys, and its members."""

from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from energyopti.foundation import clock

from ..queries.people import key_or_404, keys_of, member_or_404, members_of
from ..requests import actor_of, require_permission, require_sign_in
from ..services.clients import ClientRevoked, ScopeUnknown, create_client, revoke_client
from ..services.clients import rotate_secret as rotate_client_secret
from ..services.invitations import invite_member
from ..services.members import EmailTaken, NotYourself, close_account, reopen_account, set_roles
from ..services.profile import change_profile
from .forms import InvitationForm, KeyForm, ProfileForm, RolesForm


@require_http_methods(["GET", "HEAD", "POST"])
@require_sign_in
def profile(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    form = ProfileForm(request.POST or None, instance=request.user)
    if request.method == "POST" and form.is_valid():
        change_profile(actor=actor, user=request.user, **form.cleaned_data)
        messages.success(request, "Your profile was saved.")
        return redirect("accounts:profile")
    return render(
        request,
        "settings/profile.html",
        {"form": form, "roles": sorted(request.user.groups.values_list("name", flat=True))},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD"])
@require_sign_in
def sessions(request: HttpRequest) -> HttpResponse:
    return redirect("usersessions_list")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("accounts.view_apiclient")
def keys(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    may_manage = actor.may("accounts.manage_apiclient")
    form = KeyForm(request.POST or None, actor=actor) if may_manage else None
    shown: dict[str, object] = {}
    if request.method == "POST":
        actor.require("accounts.manage_apiclient")
        assert form is not None  # whoever may manage has one
        if form.is_valid():
            try:
                client, secret = create_client(actor=actor, **form.cleaned_data)
            except ScopeUnknown as refusal:
                form.add_error("scopes", str(refusal))
            else:
                shown = {"secret": secret, "secret_of": client}
                form = KeyForm(actor=actor)
    return render(
        request,
        "settings/keys.html",
        {"keys": keys_of(actor), "form": form, "may_manage": may_manage, **shown},
        status=422 if form is not None and form.errors else 200,
    )


@never_cache
@require_POST
@require_permission("accounts.manage_apiclient")
def rotate_key(request: HttpRequest, client_id: str) -> HttpResponse:
    actor = actor_of(request)
    key_or_404(actor, client_id)
    try:
        client, secret = rotate_client_secret(
            actor=actor, client_id=client_id, rotated_at=clock.now()
        )
    except ClientRevoked as refusal:
        messages.error(request, str(refusal))
        return redirect("accounts:keys")
    context = {
        "keys": keys_of(actor),
        "form": KeyForm(actor=actor),
        "may_manage": True,
        "secret": secret,
        "secret_of": client,
    }
    return render(request, "settings/keys.html", context)


@require_POST
@require_permission("accounts.manage_apiclient")
def revoke_key(request: HttpRequest, client_id: str) -> HttpResponse:
    actor = actor_of(request)
    key_or_404(actor, client_id)
    try:
        client = revoke_client(actor=actor, client_id=client_id, revoked_at=clock.now())
    except ClientRevoked as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The key “{client.name}” was revoked and no longer works.")
    return redirect("accounts:keys")


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("accounts.manage_organization")
def members(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    form = InvitationForm(request.POST or None, actor=actor)
    if request.method == "POST" and form.is_valid():
        try:
            user = invite_member(
                actor=actor, site_url=request.build_absolute_uri("/"), **form.cleaned_data
            )
        except EmailTaken as refusal:
            form.add_error("email", str(refusal))
        else:
            messages.success(request, f"An invitation is on its way to {user.email}.")
            return redirect("accounts:members")
    return render(
        request,
        "settings/members.html",
        {"members": members_of(actor), "form": form},
        status=422 if form.errors else 200,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@require_permission("accounts.manage_organization")
def member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    person = member_or_404(actor, user_id)
    initial = {"roles": list(person.groups.values_list("name", flat=True))}
    form = RolesForm(request.POST or None, actor=actor, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            set_roles(actor=actor, user_id=user_id, roles=form.cleaned_data["roles"])
        except NotYourself as refusal:
            form.add_error(None, str(refusal))
        else:
            messages.success(request, f"The roles of {person} were changed.")
            return redirect("accounts:members")
    return render(
        request,
        "settings/member.html",
        {"member": person, "form": form},
        status=422 if form.errors else 200,
    )


@require_POST
@require_permission("accounts.manage_organization")
def close_member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    member_or_404(actor, user_id)
    try:
        person = close_account(actor=actor, user_id=user_id)
    except NotYourself as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The account of {person} is closed.")
    return redirect("accounts:members")


@require_POST
@require_permission("accounts.manage_organization")
def reopen_member(request: HttpRequest, user_id: UUID) -> HttpResponse:
    actor = actor_of(request)
    member_or_404(actor, user_id)
    try:
        person = reopen_account(actor=actor, user_id=user_id)
    except NotYourself as refusal:
        messages.error(request, str(refusal))
    else:
        messages.success(request, f"The account of {person} is open again.")
    return redirect("accounts:members")
