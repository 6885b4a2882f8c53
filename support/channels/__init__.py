"""Where messages leave the house, and the guard that keeps them from turning inward."""

from support.channels.addresses import AddressRefused, check_public_host
from support.channels.messaging import ChannelRefused, check_channel, send_message

__all__ = [
    "AddressRefused",
    "ChannelRefused",
    "check_channel",
    "check_public_host",
    "send_message",
]
