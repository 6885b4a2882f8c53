"""Forms of the settings pages: they parse and say what is wrong; services decide and write."""

import zoneinfo
from collections.abc import Sequence
from typing import Any

from django import forms

from ..actors import Actor
from ..grantable import GRANTABLE
from ..models import Organization, User
from ..queries.access import Container, offered_kinds
from ..roles import Role, permissions_of
from ..scopes import SCOPES


class ProfileForm(forms.ModelForm):
    time_zone = forms.ChoiceField(
        choices=lambda: [(name, name) for name in sorted(zoneinfo.available_timezones())],
        help_text="Times without a market of their own are shown in this zone.",
    )

    class Meta:
        model = User
        fields = ("name", "time_zone")


class OrganizationChoice(forms.Form):
    """A form with the organizations that the actor belongs to; with only one, nobody is asked."""

    organization = forms.ModelChoiceField(Organization.objects.none(), empty_label=None)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["organization"]
        assert isinstance(field, forms.ModelChoiceField)
        field.queryset = Organization.objects.filter(id__in=self.organization_ids(actor)).order_by(
            "name"
        )
        field.initial = field.queryset.first()

    def organization_ids(self, actor: Actor) -> frozenset[Any]:
        return actor.own_organization_ids


class KeyForm(OrganizationChoice):
    name = forms.CharField(
        max_length=80, help_text="What the program is, so that you know the key again."
    )
    scopes = forms.MultipleChoiceField(
        choices=lambda: [(name, f"{name} — {sentence}") for name, sentence in SCOPES.items()],
        widget=forms.CheckboxSelectMultiple,
        help_text="What its tokens may do, at most.",
    )
    field_order = ("name", "organization", "scopes")


class RolesField(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def clean(self, value: Any) -> set[Role]:
        return {Role(name) for name in super().clean(value)}


def roles_open_to(actor: Actor) -> list[tuple[str, str]]:
    """Return the roles that this actor may give: those whose every permission it holds itself."""
    return [
        (role.value, role.value)
        for role in Role
        if all(actor.may(permission) for permission in permissions_of(role))
    ]


class InvitationForm(OrganizationChoice):
    email = forms.EmailField(label="E-mail address")
    name = forms.CharField(max_length=120)
    roles = RolesField(required=True)
    field_order = ("email", "name", "organization", "roles")

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, actor=actor, **kwargs)
        field = self.fields["roles"]
        assert isinstance(field, RolesField)
        field.choices = roles_open_to(actor)

    def organization_ids(self, actor: Actor) -> frozenset[Any]:
        return actor.organization_ids


class RolesForm(forms.Form):
    roles = RolesField(required=False)

    def __init__(self, *args: Any, actor: Actor, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["roles"]
        assert isinstance(field, RolesField)
        field.choices = roles_open_to(actor)


class AccessForm(forms.Form):
    """One level of access on one book or site, to give or to take back."""

    container = forms.ChoiceField(label="Book or site")
    level = forms.ChoiceField(
        help_text="“view” shows what is inside; the others let the person's roles act there.",
    )

    def __init__(self, *args: Any, containers: Sequence[Container], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._containers = {container.key: container for container in containers}
        groups: dict[str, list[tuple[str, str]]] = {}
        for container in containers:
            group = f"{container.kind.capitalize()}s of {container.organization}"
            groups.setdefault(group, []).append((container.key, container.name))
        levels = dict.fromkeys(level for _, entry in offered_kinds() for level in entry.levels)
        chosen, level = self.fields["container"], self.fields["level"]
        assert isinstance(chosen, forms.ChoiceField) and isinstance(level, forms.ChoiceField)
        chosen.choices = list(groups.items())
        level.choices = [(name, name) for name in levels]

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or self.cleaned_data
        container = self._containers.get(cleaned.get("container", ""))
        if container is not None and "level" in cleaned:
            levels = GRANTABLE[container.kind].levels
            if cleaned["level"] not in levels:
                self.add_error("level", f"A {container.kind} has {' and '.join(levels)} only.")
            cleaned["container"] = container
        return cleaned
