"""How a kind of reference data meets its files: a Resource whose rows are terms, saved by verbs."""

from dataclasses import dataclass, fields
from types import SimpleNamespace
from typing import Any, ClassVar
from uuid import UUID

from django.core.exceptions import ValidationError
from import_export import resources
from import_export.fields import Field
from import_export.instance_loaders import BaseInstanceLoader

from energyopti.accounts.actors import Actor

from .cells import Cell


class OrganizationNeeded(ValueError):
    """A file holds rows of an organization, and nothing says of which."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Who imports or exports, and for which organization; None reads shared kinds only."""

    actor: Actor
    organization_id: UUID | None

    @property
    def own(self) -> UUID:
        """
        Return the organization.

        :raises OrganizationNeeded: if none was named.
        """
        if self.organization_id is None:
            raise OrganizationNeeded("organization: say whose counterparties and books these are.")
        return self.organization_id


def column(attribute: str, cell: Cell, name: str = "") -> Field:
    return Field(attribute=attribute, column_name=name or attribute, widget=cell)


class Draft(SimpleNamespace):
    """The terms of one row while an import fills them in."""

    pk: Any = None


class TermsResource(resources.Resource):
    """
    One kind of file. A row is found by `key`; what it says is a value of `terms`.

    key             attributes that name a row, whatever their case
    waits           which of its attributes name another row of the same file by which of that
                    one's: a node waits for its hub
    permissions     that an import of the kind needs
    is_published    rows are versions that are never changed
    """

    terms: ClassVar[type]
    key: ClassVar[tuple[str, ...]]
    waits: ClassVar[tuple[tuple[str, ...], tuple[str, ...]] | None] = None
    permissions: ClassVar[tuple[str, ...]]
    is_published: ClassVar[bool] = False

    class Meta:
        skip_unchanged = True
        report_skipped = True
        store_instance = True
        skip_html_diff = True
        use_transactions = False
        instance_loader_class = BaseInstanceLoader

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self.scope = scope
        self._known: dict[tuple[Any, ...], Any] | None = None
        self._seen: dict[tuple[Any, ...], int] = {}

    # What each kind says.

    def existing(self) -> list[Any]:
        """Return the terms of all rows that the scope has."""
        raise NotImplementedError

    def add(self, terms: Any) -> None:
        """Add a row by its service."""
        raise NotImplementedError

    def amend(self, terms: Any) -> None:
        """Change a row by its service; published versions are never asked to."""
        raise NotImplementedError

    # How django-import-export is led there.

    def get_import_id_fields(self) -> list[str]:
        return list(self.key)

    def get_import_order(self) -> list[str]:
        return list(self.fields)

    get_export_order = get_import_order

    def init_instance(self, row: Any = None) -> Draft:
        return Draft(**dict.fromkeys(each.attribute for each in self.fields.values()))

    def get_instance(self, instance_loader: Any, row: Any) -> Draft | None:
        try:
            key = tuple(self._by_attribute(name).clean(row) for name in self.key)
        except ValueError:
            return None  # the row's own columns say what is wrong with it
        terms = self.known.get(folded(key))
        return None if terms is None else self.draft(terms)

    def after_init_instance(self, instance: Any, new: bool, row: Any, **kwargs: Any) -> None:
        key = folded(tuple(row[self._by_attribute(name).column_name] for name in self.key))
        number = kwargs["lines"][kwargs["row_number"] - 1]
        first = self._seen.setdefault(key, number)
        if first != number:
            raise ValidationError({self.key[-1]: f"Line {first} says the same row."})

    def save_instance(self, instance: Any, is_create: bool, row: Any, **kwargs: Any) -> None:
        terms = self.terms(**vars(instance))
        if is_create:
            self.add(terms)
        else:
            before = self.known[self.key_of(terms)]
            # The code stays as it was first written, whatever its case in the file.
            if self.is_published:
                self._refuse_published(before, terms)
            self.amend(terms)
        self.known[self.key_of(terms)] = terms

    def _refuse_published(self, before: Any, terms: Any) -> None:
        raise ValidationError(
            {
                each.name: f"Version {terms.version} is published and stays as it is; publish"
                f" version {self.latest_version(terms) + 1}."
                for each in fields(terms)
                if getattr(before, each.name) != getattr(terms, each.name)
            }
        )

    def latest_version(self, terms: Any) -> int:
        family = self.key_of(terms)[:-1]
        return max(each.version for key, each in self.known.items() if key[:-1] == family)

    def draft(self, terms: Any) -> Draft:
        return Draft(**{each.name: getattr(terms, each.name) for each in fields(terms)})

    @property
    def known(self) -> dict[tuple[Any, ...], Any]:
        """Return all rows' terms by key; they are read once."""
        if self._known is None:
            self._known = {self.key_of(terms): terms for terms in self.existing()}
        return self._known

    def key_of(self, terms: Any) -> tuple[Any, ...]:
        return folded(tuple(getattr(terms, name) for name in self.key))

    def columns(self) -> list[str]:
        """Return the columns of the kind's files, in their order."""
        return [each.column_name for each in self.fields.values()]

    def column_of(self, attribute: str) -> str:
        """Return the column of an attribute; a rule on the whole row is “row”."""
        for each in self.fields.values():
            if each.attribute == attribute:
                return str(each.column_name)
        return "row" if attribute == "__all__" else attribute

    def _by_attribute(self, attribute: str) -> Field:
        return next(each for each in self.fields.values() if each.attribute == attribute)


def folded(key: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return a key by which rows are found whatever the case of their codes."""
    return tuple(part.casefold() if isinstance(part, str) else part for part in key)
