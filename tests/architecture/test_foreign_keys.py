"""Foreign keys point down the rooms, never up or sideways."""

from django.apps import apps
from django.db.models import ForeignKey

ROOMS = [
    {"energyopti.foundation"},
    {"energyopti.accounts", "energyopti.observability"},
    {"trading", "devices"},
    {"risk", "fleet"},
    {"compliance"},
    {"billing"},
    {"support"},
    {"energyopti.portal"},
]


def room_of(module: str) -> tuple[int, str] | None:
    for height, names in enumerate(ROOMS):
        for name in names:
            if module == name or module.startswith(name + "."):
                return height, name
    return None


def test_foreign_keys_point_down() -> None:
    upward = []
    ours = 0

    for model in apps.get_models():
        source = room_of(model.__module__)
        if source is None:
            continue
        for field in model._meta.get_fields():
            if not isinstance(field, ForeignKey):
                continue
            target = room_of(field.related_model.__module__)
            if target is None:
                continue  # Django's own tables stand below all rooms
            ours += 1
            if target[1] != source[1] and target[0] >= source[0]:
                upward.append(
                    f"{model._meta.label}.{field.name} → {field.related_model._meta.label}"
                )

    assert ours > 0
    assert upward == []


def test_foundation_has_no_foreign_key_outside_itself() -> None:
    outside = [
        f"{model._meta.label}.{field.name}"
        for model in apps.get_models()
        if model.__module__.startswith("energyopti.foundation")
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey)
        and not field.related_model.__module__.startswith("energyopti.foundation")
    ]

    assert outside == []
