"""The log, its followers and what they have parked, for operators; nothing is edited here."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest

from energyopti.foundation.pages import actor_for

from .models import Event, FollowerCursor, ParkedEvent
from .queries import COUNT_LIMIT, lag
from .services import NothingParked, replay_parked


class ReadOnly(admin.ModelAdmin):
    """Show and search; facts are written by services alone."""

    list_per_page = 50
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ("id", "recorded_at", "type", "aggregate_type", "aggregate_id", "actor_id")
    list_filter = ("aggregate_type", ("recorded_at", admin.DateFieldListFilter))
    search_fields = ("=type", "=aggregate_id", "=key", "=actor_id", "=request_id")
    search_help_text = "Exact type, aggregate id, key, actor or request id."
    ordering = ("-id",)


@admin.register(FollowerCursor)
class FollowerCursorAdmin(ReadOnly):
    list_display = ("name", "transaction_id", "event_id", "moved_at", "events_behind", "oldest")
    search_fields = ("name",)
    ordering = ("name",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[FollowerCursor]:
        self._lags: dict[str, tuple[int, Any]] = {}
        return super().get_queryset(request)

    @admin.display(description="Events behind")
    def events_behind(self, cursor: FollowerCursor) -> str:
        behind, _ = self._lag(cursor)
        return f"{COUNT_LIMIT} or more" if behind >= COUNT_LIMIT else str(behind)

    @admin.display(description="Oldest of them", empty_value="–")
    def oldest(self, cursor: FollowerCursor) -> Any:
        return self._lag(cursor)[1]

    def _lag(self, cursor: FollowerCursor) -> tuple[int, Any]:
        if cursor.name not in self._lags:
            self._lags[cursor.name] = lag(cursor)
        return self._lags[cursor.name]


@admin.register(ParkedEvent)
class ParkedEventAdmin(ReadOnly):
    list_display = ("event", "follower", "key", "state", "attempts", "next_attempt_at", "error")
    list_filter = ("follower", "state")
    list_select_related = ("event",)
    search_fields = ("=key", "error")
    ordering = ("follower", "key", "transaction_id", "event_id")
    actions = ("replay_keys",)

    def has_replay_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm("events.replay_parkedevent"))

    @admin.action(description="Replay the keys of the chosen events", permissions=["replay"])
    def replay_keys(self, request: HttpRequest, chosen: QuerySet[ParkedEvent]) -> None:
        pairs = sorted(set(chosen.values_list("follower", "key")))
        actor: Any = actor_for(request)
        for follower, key in pairs:
            try:
                replay_parked(actor=actor, follower=follower, key=key)
            except NothingParked as error:  # it was applied meanwhile
                self.message_user(request, str(error), messages.INFO)
            else:
                self.message_user(
                    request, f"{follower} tries {key} again, in order.", messages.SUCCESS
                )
