"""The last step of SAML sign-in: allauth's, with an answer for XML that is none."""

from typing import Any

from allauth.socialaccount.helpers import render_authentication_error
from allauth.socialaccount.providers.saml.views import FinishACSView
from django.http import HttpRequest, HttpResponse
from lxml.etree import LxmlError
from onelogin.saml2.xmlparser import DTDForbidden, EntitiesForbidden, NotSupportedError


class GuardedFinishView(FinishACSView):
    """
    Refuse what the parser refuses (entities, DTDs, broken XML) with a page instead of a failure.

    The library is right to raise; allauth does not expect it to.
    """

    def dispatch(self, request: HttpRequest, organization_slug: str) -> HttpResponse:
        try:
            response: Any = super().dispatch(request, organization_slug)
        except (DTDForbidden, EntitiesForbidden, NotSupportedError, LxmlError):
            response = render_authentication_error(request, self.get_provider(organization_slug))
        return response


finish = GuardedFinishView.as_view()
