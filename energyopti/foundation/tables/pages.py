"""
`TablePage`: a list page with sort, filters, column choice, saved views, bulk verbs and exports.

A page names its table, filters and rows; everything else is the same on every list.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from django.contrib import messages
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import BadRequest, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.shortcuts import render
from django.utils.cache import patch_vary_headers
from django.views import View
from django_filters import FilterSet
from django_tables2 import Table

from energyopti.foundation import clock
from energyopti.foundation.pages import PEOPLE_CHOICES, SCOPES, ActorLike, actor_for
from energyopti.foundation.scope import DATE, Scope, scope_of

from .exporting import export_of
from .filters import chips
from .keyset import CursorUnreadable, KeysetPage, keyset_page, sort_terms
from .models import SavedView
from .queries.saved_views import chosen_columns, view_by_id, views_for
from .services.saved_views import ViewRefused
from .state import EXPORT, SORT, VIEW, Address, headers, read_sort
from .view_actions import VIEW_ACTIONS, view_problems

COUNTED_AT_MOST = 10_000
FORMATS = ("csv", "json", "xlsx", "pdf")


@dataclass(frozen=True)
class BulkAction:
    """A verb for selected rows: posted as `name`, asked back with the number of rows."""

    name: str
    label: str
    is_harmful: bool = False
    permission: str | None = None


Heads = tuple[dict[str, str], dict[str, list[str]]]
_HEADS: dict[Any, Heads] = {}


def heads_of(table_class: type[Table]) -> Heads:
    """Return the headings of a table's columns, and of those that can be sorted the ORM paths."""
    if table_class not in _HEADS:
        # To make a table copies each of its columns: once a class, not again on each page.
        columns = list(table_class([]).columns)
        _HEADS[table_class] = (
            {column.name: str(column.header) for column in columns},
            {
                column.name: [str(path).replace(".", "__") for path in column.order_by]
                for column in columns
                if column.orderable and column.order_by
            },
        )
    return _HEADS[table_class]


class TablePage(View):
    """
    A list page. Subclasses name what is theirs:

    name            key of saved views and column choices ("trading.trades"); never change it.
    permission      what the reader must hold; strangers sign in first.
    table_class     a django-tables2 table; its columns are what may be shown and sorted by.
    default_columns names shown before anybody chooses; empty for all.
    narrow_note     said where standard columns of the class `yields-…` are left out: the page is
                    too narrow for them; empty where none does.
    default_sort    "-captured_at,price" in names of columns.
    reads           dimensions of the scope bar that `rows` honors; the bar offers no others.
    rows            the queryset: starts from the actor's organizations, fetches what cells read.
    """

    name: ClassVar[str]
    permission: ClassVar[str | None]
    table_class: ClassVar[type[Table]]
    filterset_class: ClassVar[type[FilterSet] | None] = None
    title: ClassVar[str]
    lead: ClassVar[str] = ""
    default_columns: ClassVar[Sequence[str]] = ()
    narrow_note: ClassVar[str] = ""
    default_sort: ClassVar[str] = ""
    reads: ClassVar[frozenset[str]] = frozenset()
    page_size: ClassVar[int] = 50
    template_name: ClassVar[str] = "tables/page.html"
    rows_template: ClassVar[str] = "tables/_rows.html"
    confirm_template: ClassVar[str] = "tables/confirm.html"
    bulk_actions: ClassVar[Sequence[BulkAction]] = ()
    empty_title: ClassVar[str] = "Nothing here yet"
    empty_text: ClassVar[str] = ""
    new_url_name: ClassVar[str] = ""
    new_label: ClassVar[str] = "New"
    http_method_names = ["get", "head", "post"]

    # ---- what a subclass provides -----------------------------------------------------------

    def rows(self) -> QuerySet[Any]:
        """Return the rows that `self.actor` may see within `self.scope`."""
        raise NotImplementedError(f"{type(self).__name__} must say which rows it lists")

    def run_bulk(self, action: BulkAction, rows: QuerySet[Any]) -> str:
        """Do a bulk verb through a service; return the sentence that reports it."""
        raise BadRequest(f"action: “{action.name}” is not offered here")

    def extra_context(self) -> dict[str, Any]:
        """Return what the subclass's template needs beside the list."""
        return {}

    def confirm_context(self, action: BulkAction, rows: QuerySet[Any]) -> dict[str, Any]:
        """Return what the page that asks back needs beside the number of rows."""
        return {}

    # ---- the request ------------------------------------------------------------------------

    @classmethod
    def as_view(cls, **initial: Any) -> Callable[..., HttpResponse]:
        view = super().as_view(**initial)
        view.permission = cls.permission  # read by the test that walks all routes
        return view

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path())
        self.actor: ActorLike = actor_for(request)
        if self.permission is not None:
            self.actor.require(self.permission)
        self.today = clock.now().date()
        self.scope: Scope = scope_of(request, actor=self.actor, today=self.today, reads=self.reads)
        self.address = Address(request.path, request.GET)
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.GET and (default := self._own_default):
            # What was chosen on another page outlives the scope that the view was saved in.
            return HttpResponseRedirect(self._view_link(default, **self.scope.parameters))
        if EXPORT in request.GET:
            return self._export(request.GET[EXPORT])
        partial = getattr(request, "htmx", None) and request.htmx.target == "rows"
        template = self.rows_template if partial else self.template_name
        response = render(request, template, self._context())
        patch_vary_headers(response, ["HX-Request", "HX-Target"])
        return response

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        action = request.POST.get("action", "")
        if action.startswith("bulk:"):
            return self._bulk(action.removeprefix("bulk:"))
        try:
            run = VIEW_ACTIONS[action]
        except KeyError:
            raise BadRequest(f"action: “{action}” is not offered here") from None
        try:
            target, report = run(self, request.POST)
        except ViewRefused as error:
            messages.error(request, str(error))
            return HttpResponseRedirect(self.address.link())
        messages.success(request, report)
        return HttpResponseRedirect(target)

    # ---- rows -------------------------------------------------------------------------------

    @cached_property
    def filterset(self) -> FilterSet | None:
        if self.filterset_class is None:
            return None
        data = self.request.GET or None
        return self.filterset_class(data, queryset=self.rows(), request=self.request)

    @cached_property
    def filtered(self) -> QuerySet[Any]:
        """The rows that pass the filters; none while a filter is mistyped."""
        if self.filterset is None:
            return self.rows()
        if self.filterset.is_bound and not self.filterset.is_valid():
            return self.rows().none()
        return self.filterset.qs

    @cached_property
    def column_names(self) -> list[str]:
        return [name for name in self.table_class.base_columns if name not in ("select",)]

    @cached_property
    def sortable(self) -> dict[str, list[str]]:
        """ORM paths of the columns that the database can sort by."""
        return heads_of(self.table_class)[1]

    @cached_property
    def sort_levels(self) -> list[Any]:
        levels, _ = read_sort(
            self.request.GET.get(SORT, "") or self.default_sort, sortable=list(self.sortable)
        )
        return levels

    @cached_property
    def order_paths(self) -> list[str]:
        paths = []
        for level in self.sort_levels:
            for path in self.sortable[level.column]:
                descending = path.startswith("-") != level.descending
                paths.append(("-" if descending else "") + path.lstrip("-"))
        return paths

    @cached_property
    def shown_columns(self) -> list[str]:
        """The columns of the open view, of the person's choice, or the standard, in order."""
        wanted: Sequence[str] | None = None
        if self.open_view is not None and self.open_view.columns:
            wanted = self.open_view.columns
        if wanted is None:
            wanted = chosen_columns(self.actor, table=self.name)
        known = [name for name in wanted or () if name in self.column_names]
        return known or list(self.default_columns) or self.column_names

    @property
    def gives_way(self) -> bool:
        """Tell whether columns are the standard ones, which a narrow page shows in part."""
        return bool(self.narrow_note) and self.shown_columns == list(self.default_columns)

    # ---- saved views ------------------------------------------------------------------------

    @cached_property
    def saved_views(self) -> list[SavedView]:
        return views_for(self.actor, table=self.name)

    @cached_property
    def open_view(self) -> SavedView | None:
        return view_by_id(self.saved_views, self.request.GET.get(VIEW, ""))

    @property
    def _own_default(self) -> SavedView | None:
        own = (v for v in self.saved_views if v.is_default and v.owner_id == self.actor.id)
        return next(own, None)

    def _view_link(self, view: SavedView, **scope: str) -> str:
        """Return a view's address, less the book or site that this reader cannot choose."""
        query = QueryDict(view.query, mutable=True)
        for name in (*SCOPES, DATE):
            if name in self.reads and query.get(name) and not self.scope.offers(name, query[name]):
                query.pop(name)
        for name, value in {**scope, VIEW: str(view.id)}.items():
            query[name] = value
        return f"{self.request.path}?{query.urlencode()}"

    # ---- drawing ----------------------------------------------------------------------------

    def _context(self) -> dict[str, Any]:
        page = self._page()
        total = self.filtered.order_by()[: COUNTED_AT_MOST + 1].count()
        return {
            "page": self,
            "table": self._table(page.rows),
            "heads": headers(
                self.address,
                columns=self.shown_columns,
                sortable=list(self.sortable),
                levels=self.sort_levels,
            ),
            "chips": chips(self.filterset, self.address),
            "total": min(total, COUNTED_AT_MOST),
            "total_is_more": total > COUNTED_AT_MOST,
            "next_link": page.after and self.address.link(after=page.after),
            "previous_link": page.before and self.address.link(before=page.before),
            "first_link": self.address.link(),
            "clear_link": self.request.path,
            "export_links": [(name, self.address.link(export=name)) for name in FORMATS],
            "views": [
                (view, self._view_link(view), view.owner_id == self.actor.id)
                for view in self.saved_views
            ],
            "view_problems": view_problems(self, self.open_view) if self.open_view else [],
            "view_is_own": self.open_view and self.open_view.owner_id == self.actor.id,
            "column_options": self._column_options(),
            "bulk_actions": self._permitted_bulk(),
            "organizations": PEOPLE_CHOICES["organizations"](self.actor),
            **self.extra_context(),
        }

    def _page(self) -> KeysetPage:
        terms = sort_terms(self.filtered.model, self.order_paths)
        parameters = self.request.GET
        try:
            return keyset_page(
                self.filtered,
                terms=terms,
                size=self.page_size,
                after=parameters.get("after", ""),
                before=parameters.get("before", ""),
            )
        except CursorUnreadable as error:
            raise BadRequest(f"after/before: {error}") from error

    def _table(self, rows: Sequence[Any]) -> Table:
        hidden = [name for name in self.column_names if name not in self.shown_columns]
        return self.table_class(
            rows,
            exclude=hidden,
            sequence=[*self.shown_columns, "..."],
            orderable=False,
            empty_text="",
        )

    def _column_options(self) -> list[tuple[str, str, bool]]:
        """Return name, label and whether shown: the shown ones in order, then the others."""
        labels = heads_of(self.table_class)[0]
        others = [name for name in self.column_names if name not in self.shown_columns]
        return [(name, labels[name], True) for name in self.shown_columns] + [
            (name, labels[name], False) for name in others
        ]

    def _export(self, format_name: str) -> HttpResponse:
        if format_name not in FORMATS:
            raise BadRequest(f"export: “{format_name}” is none of {', '.join(FORMATS)}")
        if self.filterset is not None and self.filterset.is_bound and self.filterset.errors:
            raise BadRequest("export: correct the filters first")
        terms = sort_terms(self.filtered.model, self.order_paths)
        return export_of(
            self.request,
            title=self.title,
            table=self._table([]),
            rows=self.filtered.order_by(
                *(("-" if term.descending else "") + term.path for term in terms)
            ),
            filters={
                **self.scope.in_words,
                **{chip.label: chip.value for chip in chips(self.filterset, self.address)},
            },
            format_name=format_name,
            filename=self.name.replace(".", "-"),
        )

    # ---- verbs on several rows --------------------------------------------------------------

    def _permitted_bulk(self) -> list[BulkAction]:
        return [
            action
            for action in self.bulk_actions
            if action.permission is None or self.actor.may(action.permission)
        ]

    def _bulk(self, name: str) -> HttpResponse:
        """Ask back with the number of rows, then do it; rows out of reach are not touched."""
        action = next((a for a in self.bulk_actions if a.name == name), None)
        if action is None:
            raise BadRequest(f"action: “{name}” is not offered here")
        if action.permission is not None:
            self.actor.require(action.permission)
        chosen = self._chosen_rows()
        count = chosen.count()
        back = self.address.link(without=())
        if count == 0:
            messages.warning(self.request, "Select at least one row first.")
            return HttpResponseRedirect(back)
        if self.request.POST.get("confirmed") != "yes":
            context = {
                "page": self,
                "action": action,
                "count": count,
                "ids": self.request.POST.getlist("select"),
                "back": back,
                **self.confirm_context(action, chosen),
            }
            return render(self.request, self.confirm_template, context)
        messages.success(self.request, self.run_bulk(action, chosen))
        return HttpResponseRedirect(back)

    def _chosen_rows(self) -> QuerySet[Any]:
        pk = self.rows().model._meta.pk
        try:
            ids = [pk.to_python(value) for value in self.request.POST.getlist("select")[:1000]]
        except ValidationError as error:
            raise BadRequest("select: holds something that is no row") from error
        return self.rows().filter(pk__in=ids)
