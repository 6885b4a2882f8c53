"""One event of the audit trail, with what it changed and its link of the chain."""

import json
import uuid

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

from compliance.audit.queries.trail import NoSuchEvent, event_detail
from energyopti.accounts.requests import actor_of, require_permission

from .lists import printable


@require_permission("audit.view_auditrecord")
def event(request: HttpRequest, uid: uuid.UUID) -> HttpResponse:
    """Show an event; every value is text, whatever somebody put into it."""
    try:
        found = event_detail(actor_of(request), uid)
    except NoSuchEvent as error:
        raise Http404(str(error)) from error
    context = {
        "detail": found,
        "changes": [
            (printable(change.field), printable(change.before), printable(change.after))
            for change in found.changes
        ],
        "payload": [
            (printable(name), printable(json.dumps(value, ensure_ascii=False)))
            for name, value in found.payload
        ],
        "identity": [
            (label, printable(value))
            for label, value in (
                ("By", found.actor),
                ("On behalf of", found.event.on_behalf_of or "nobody else"),
                ("Organization", found.organization or "none: the operating company's own"),
                ("Subject", f"{found.event.aggregate_type} {found.event.aggregate_id}"),
                ("Request", found.event.request_id or "none"),
                ("Identifier", found.event.uid),
            )
        ],
    }
    return render(request, "audit/event.html", context)
