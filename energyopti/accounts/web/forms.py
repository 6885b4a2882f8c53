"""Forms of the settings pages: they parse and say what is wrong; services decide and write."""

import zoneinfo
from typing import Any

from django import forms

from ..actors import Actor
from ..models import Organization, User
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
