"""Sign-in by SAML: our description is there, and forged answers are not believed (row 13)."""

import base64
import re
import zlib
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from allauth.socialaccount.models import SocialApp
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID
from django.contrib.sites.models import Site
from django.test import Client

from energyopti.accounts.roles import Role
from tests.factories.accounts import make_organization, make_user

pytestmark = pytest.mark.django_db
HOST = "energy.example"
IDP = "https://idp.acme.example"
ACS = f"http://{HOST}/accounts/saml/acme/acs/"
METADATA = f"http://{HOST}/accounts/saml/acme/metadata/"


def key_and_certificate() -> tuple[rsa.RSAPrivateKey, str]:
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.acme.example")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.PEM).decode()


@pytest.fixture(scope="module")
def identity_provider() -> tuple[str, str]:
    """The provider's private key and certificate, both PEM."""
    key, certificate = key_and_certificate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return private, certificate


@pytest.fixture(autouse=True)
def acme(settings, identity_provider) -> None:
    settings.ALLOWED_HOSTS = [HOST]
    app = SocialApp.objects.create(
        provider="saml",
        provider_id="urn:acme",
        name="Acme",
        client_id="acme",
        settings={
            "verified_email": ["acme.example"],
            "attribute_mapping": {"uid": "uid", "email": "email", "email_verified": "verified"},
            "idp": {
                "entity_id": IDP,
                "sso_url": f"{IDP}/sso",
                "x509cert": identity_provider[1],
            },
            "advanced": {"want_assertion_signed": True, "strict": True},
        },
    )
    app.sites.add(Site.objects.get_current())


def answer_xml(
    request_id: str,
    *,
    email: str = "kim@acme.example",
    audience: str = METADATA,
    recipient: str = ACS,
    minutes: int = 5,
) -> str:
    now = datetime.now(UTC)

    def at(offset: timedelta) -> str:
        return (now + offset).strftime("%Y-%m-%dT%H:%M:%SZ")

    end, start = at(timedelta(minutes=minutes)), at(timedelta(minutes=-10))
    # One line as providers send it: white space would be part of what is signed.
    return f"""<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:2.0:protocol" xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion" ID="_r1" Version="2.0" IssueInstant="{at(timedelta())}" Destination="{ACS}" InResponseTo="{request_id}"><saml:Issuer>{IDP}</saml:Issuer><samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status><saml:Assertion ID="_a1" Version="2.0" IssueInstant="{at(timedelta())}"><saml:Issuer>{IDP}</saml:Issuer><saml:Subject><saml:NameID Format="urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified">kim</saml:NameID><saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"><saml:SubjectConfirmationData NotOnOrAfter="{end}" Recipient="{recipient}" InResponseTo="{request_id}"/></saml:SubjectConfirmation></saml:Subject><saml:Conditions NotBefore="{start}" NotOnOrAfter="{end}"><saml:AudienceRestriction><saml:Audience>{audience}</saml:Audience></saml:AudienceRestriction></saml:Conditions><saml:AuthnStatement AuthnInstant="{at(timedelta())}" SessionIndex="_s1"><saml:AuthnContext><saml:AuthnContextClassRef>urn:oasis:names:tc:SAML:2.0:ac:classes:Password</saml:AuthnContextClassRef></saml:AuthnContext></saml:AuthnStatement><saml:AttributeStatement><saml:Attribute Name="uid"><saml:AttributeValue>kim</saml:AttributeValue></saml:Attribute><saml:Attribute Name="email"><saml:AttributeValue>{email}</saml:AttributeValue></saml:Attribute></saml:AttributeStatement></saml:Assertion></samlp:Response>"""  # noqa: E501


def signed(xml: str, identity_provider: tuple[str, str]) -> str:
    from onelogin.saml2.utils import OneLogin_Saml2_Utils

    assertion = re.search(r"<saml:Assertion.*</saml:Assertion>", xml, flags=re.DOTALL)
    assert assertion is not None
    alone = assertion[0].replace(
        "<saml:Assertion", '<saml:Assertion xmlns:saml="urn:oasis:names:tc:SAML:2.0:assertion"', 1
    )
    seal = OneLogin_Saml2_Utils.add_sign(
        alone,
        identity_provider[0],
        identity_provider[1],
        sign_algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256",
        digest_algorithm="http://www.w3.org/2001/04/xmlenc#sha256",
    )
    return xml.replace(assertion[0], seal.decode() if isinstance(seal, bytes) else seal)


def begin(browser: Client) -> str:
    """Start sign-in on our side; return the id of the request that we sent to the provider."""
    answer = browser.post("/accounts/saml/acme/login/", HTTP_HOST=HOST)
    assert answer.status_code == 302, answer.content
    assert answer.headers["Location"].startswith(f"{IDP}/sso?")
    encoded = parse_qs(urlsplit(answer.headers["Location"]).query)["SAMLRequest"][0]
    request = zlib.decompress(base64.b64decode(encoded), -15).decode()
    found = re.search(r'\bID="([^"]+)"', request)
    assert found is not None
    return found[1]


def deliver(browser: Client, xml: str):
    answer = browser.post(
        "/accounts/saml/acme/acs/",
        {"SAMLResponse": base64.b64encode(xml.encode()).decode(), "RelayState": ""},
        HTTP_HOST=HOST,
    )
    return browser.get(answer.headers["Location"], HTTP_HOST=HOST)


def is_signed_in(browser: Client) -> bool:
    return browser.get("/settings/profile/", HTTP_HOST=HOST).status_code == 200


@pytest.fixture
def kim():
    return make_user(Role.TRADER, organization=make_organization(), email="kim@acme.example")


def test_metadata_describes_us() -> None:
    answer = Client().get("/accounts/saml/acme/metadata/", HTTP_HOST=HOST)

    assert answer.status_code == 200
    assert ACS.encode() in answer.content
    assert b'WantAssertionsSigned="true"' in answer.content


def test_signed_answer_to_our_request_signs_in_who_was_invited(kim, identity_provider) -> None:
    browser = Client()
    request_id = begin(browser)

    deliver(browser, signed(answer_xml(request_id), identity_provider))

    assert is_signed_in(browser)


def test_unsigned_answer_is_refused(kim) -> None:
    browser = Client()
    request_id = begin(browser)

    deliver(browser, answer_xml(request_id))

    assert not is_signed_in(browser)


def test_answer_signed_by_somebody_else_is_refused(kim) -> None:
    key, certificate = key_and_certificate()
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    browser = Client()
    request_id = begin(browser)

    deliver(browser, signed(answer_xml(request_id), (private, certificate)))

    assert not is_signed_in(browser)


@pytest.mark.parametrize(
    "flaw",
    [
        {"audience": "https://other.example/metadata/"},
        {"recipient": "https://other.example/acs/"},
        {"minutes": -5},
        {"email": "admin@energy.example"},
    ],
    ids=lambda flaw: next(iter(flaw)),
)
def test_answer_for_others_too_old_or_about_others_is_refused(kim, identity_provider, flaw) -> None:
    make_user(Role.ADMIN, organization=make_organization(), email="admin@energy.example")
    browser = Client()
    request_id = begin(browser)

    deliver(browser, signed(answer_xml(request_id, **flaw), identity_provider))

    assert not is_signed_in(browser)


def test_wrapped_signature_is_refused(kim, identity_provider) -> None:
    make_user(Role.ADMIN, organization=make_organization(), email="boss@acme.example")
    browser = Client()
    request_id = begin(browser)
    genuine = signed(answer_xml(request_id), identity_provider)
    assertion = re.search(r"<saml:Assertion.*</saml:Assertion>", genuine, flags=re.DOTALL)
    assert assertion is not None
    forged = re.search(
        r"<saml:Assertion.*</saml:Assertion>", answer_xml(request_id, email="boss@acme.example")
    )
    assert forged is not None
    evil = forged[0].replace('ID="_a1"', 'ID="_evil"')

    deliver(browser, genuine.replace(assertion[0], evil + assertion[0]))

    assert not is_signed_in(browser)


def test_answer_to_nobodys_request_and_replay_are_refused(kim, identity_provider) -> None:
    first = Client()
    request_id = begin(first)
    letter = signed(answer_xml(request_id), identity_provider)
    deliver(first, letter)
    assert is_signed_in(first)

    thief = Client()
    deliver(thief, letter)
    assert not is_signed_in(thief)
    first.post("/accounts/logout/", HTTP_HOST=HOST)
    deliver(first, letter)
    assert not is_signed_in(first)


def test_uninvited_person_gets_no_account(identity_provider) -> None:
    from energyopti.accounts.models import User

    browser = Client()
    request_id = begin(browser)

    deliver(browser, signed(answer_xml(request_id, email="new@acme.example"), identity_provider))

    assert not is_signed_in(browser)
    assert not User.objects.filter(email="new@acme.example").exists()


@pytest.mark.parametrize(
    "doctype",
    [
        '<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
        '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">]>',
    ],
)
def test_entities_are_refused(kim, identity_provider, doctype) -> None:
    browser = Client()
    request_id = begin(browser)
    xml = signed(answer_xml(request_id), identity_provider)

    answer = deliver(browser, doctype + xml)

    assert answer.status_code < 500
    assert b"root:" not in answer.content
    assert not is_signed_in(browser)


@pytest.mark.parametrize("letter", ["", "not XML", "<a>", "\x00", "<samlp:Response/>"])
def test_answer_that_is_no_xml_is_refused_with_a_page(kim, letter) -> None:
    browser = Client()
    begin(browser)

    assert deliver(browser, letter).status_code < 500
    assert not is_signed_in(browser)
