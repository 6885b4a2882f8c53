"""Choose theme, colors and keys; works without scripts."""

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_http_methods, require_POST

from energyopti.accounts.requests import actor_of

from ..models import PagePreference
from ..queries.preferences import SESSION_KEY, preferences_of
from ..services.preferences import PreferenceUnknown, choose_preferences


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def preferences(request: HttpRequest) -> HttpResponse:
    """Show and save all page preferences."""
    if request.method == "POST":
        problem = _choose(
            request,
            theme=request.POST.get("theme", ""),
            palette=request.POST.get("palette", ""),
            single_keys=request.POST.get("single_keys") == "on",
        )
        if problem:
            return HttpResponseBadRequest(problem, content_type="text/plain; charset=utf-8")
        messages.success(request, "Your page preferences are saved.")
        return redirect("portal:preferences")
    context = {
        "themes": PagePreference.Theme.choices,
        "palettes": PagePreference.Palette.choices,
        "current": preferences_of(request),
    }
    return render(request, "portal/preferences.html", context)


@require_POST
@login_required
def theme(request: HttpRequest) -> HttpResponse:
    """Switch the theme and return to the page that the switch stood on."""
    current = preferences_of(request)
    problem = _choose(
        request,
        theme=request.POST.get("theme", ""),
        palette=current.palette,
        single_keys=current.single_keys,
    )
    if problem:
        return HttpResponseBadRequest(problem, content_type="text/plain; charset=utf-8")
    if request.headers.get("X-Requested-With") == "fetch":
        return HttpResponse(status=204)
    target = request.POST.get("next", "/")
    if not url_has_allowed_host_and_scheme(
        target, {request.get_host()}, require_https=request.is_secure()
    ):
        target = "/"
    return redirect(target)


def _choose(request: HttpRequest, *, theme: str, palette: str, single_keys: bool) -> str:
    """Save the choices here and in the session; return what is wrong with them, or ""."""
    try:
        choose_preferences(
            actor=actor_of(request), theme=theme, palette=palette, single_keys=single_keys
        )
    except PreferenceUnknown as error:
        return str(error)
    request.session[SESSION_KEY] = {
        "theme": theme,
        "palette": palette,
        "single_keys": single_keys,
    }
    return ""
