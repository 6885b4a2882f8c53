"""Messages to outside services through apprise, with the address guarded at save and at send."""

from urllib.parse import urlsplit

from django.conf import settings

from .addresses import AddressRefused, check_public_host

# Services whose host is fixed in apprise itself, and those whose host stands in the address.
FIXED_HOSTS = frozenset({"slack", "pagerduty", "opsgenie", "tgram", "discord"})
OWN_HOSTS = frozenset({"json", "jsons"})


class ChannelRefused(ValueError):
    """A messaging address may not be used; names why, without its secrets."""


def check_channel(url: str) -> None:
    """
    Refuse a messaging address of an unknown kind, or one that leads into our own network.

    :raises ChannelRefused: naming the rule.
    """
    from apprise import Apprise

    parts = urlsplit(url.strip())
    if "redirect=" in parts.query.lower():
        raise ChannelRefused("channel_url: redirects are not followed; leave that option out.")
    known = FIXED_HOSTS | OWN_HOSTS
    if parts.scheme not in known:
        raise ChannelRefused(
            f"channel_url: “{parts.scheme or url[:20]}” is none of {', '.join(sorted(known))}."
        )
    if parts.scheme in OWN_HOSTS:
        try:
            check_public_host(
                parts.hostname or "", allow_private=settings.SUPPORT_ALLOW_PRIVATE_CHANNELS
            )
        except (AddressRefused, ValueError) as error:
            raise ChannelRefused(f"channel_url: {error}") from error
    if Apprise.instantiate(url.strip()) is None:
        raise ChannelRefused(f"channel_url: this is no complete {parts.scheme} address.")


def send_message(url: str, *, subject: str, body: str) -> None:
    """
    Send a message; the address is checked again, since names can be pointed elsewhere.

    Between this check and apprise's own look-up a name could still change; services with a host
    of the user's choosing belong behind an egress proxy in production (docs/operations).

    :raises ChannelRefused: if the address is no longer allowed.
    :raises ConnectionError: if the service did not take the message.
    """
    from apprise import Apprise, AppriseAsset

    check_channel(url)
    # A redirect is how a public host sends us to a private one.
    sender = Apprise(asset=AppriseAsset(async_mode=False, http_redirects=False))
    sender.add(url.strip())
    if not sender.notify(title=subject, body=body):
        raise ConnectionError("the messaging service did not take the message")
