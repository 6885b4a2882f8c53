"""Routes of /api/v1/risk/."""

from django.urls import path

from .breaches import BreachActionView, BreachViewSet
from .correlations import CorrelationsView
from .limits import (
    IncreaseDecisionView,
    LimitDecisionView,
    LimitIncreasesView,
    LimitRemovalView,
    LimitUsesView,
    LimitViewSet,
)
from .runs import (
    RiskRunViewSet,
    RunComparisonView,
    RunComponentsView,
    RunExportView,
    RunScenariosView,
)
from .scenarios import (
    ComparisonsView,
    ComparisonView,
    ScenarioDecisionView,
    ScenarioDefinitionViewSet,
    ScenarioSetViewSet,
)
from .stresses import StressDecisionView, StressRunsView, StressRunView, StressViewSet
from .views import BookRiskViewSet

urlpatterns = [
    path("books", BookRiskViewSet.as_view({"get": "list"}), name="api-risk-books"),
    path("books/<uuid:book_id>", BookRiskViewSet.as_view({"get": "retrieve"}), name="api-risk"),
    path("correlations", CorrelationsView.as_view(), name="api-correlations"),
    path(
        "scenario-definitions",
        ScenarioDefinitionViewSet.as_view({"get": "list", "post": "create"}),
        name="api-scenario-definitions",
    ),
    path(
        "scenario-definitions/<int:definition_id>/decision",
        ScenarioDecisionView.as_view(),
        name="api-scenario-decision",
    ),
    path("scenario-sets", ScenarioSetViewSet.as_view({"get": "list"}), name="api-scenario-sets"),
    path(
        "scenario-sets/<int:set_id>",
        ScenarioSetViewSet.as_view({"get": "retrieve"}),
        name="api-scenario-set",
    ),
    path("scenario-comparisons", ComparisonsView.as_view(), name="api-scenario-comparisons"),
    path(
        "scenario-comparisons/<int:comparison_id>",
        ComparisonView.as_view(),
        name="api-scenario-comparison",
    ),
    path(
        "stresses",
        StressViewSet.as_view({"get": "list", "post": "create"}),
        name="api-stresses",
    ),
    path(
        "stresses/<int:stress_id>/decision",
        StressDecisionView.as_view(),
        name="api-stress-decision",
    ),
    path("stress-runs", StressRunsView.as_view(), name="api-stress-runs"),
    path("stress-runs/<int:run_id>", StressRunView.as_view(), name="api-stress-run"),
    path("limits", LimitViewSet.as_view({"get": "list", "post": "create"}), name="api-limits"),
    path("limits/uses", LimitUsesView.as_view(), name="api-limit-uses"),
    path(
        "limits/<int:limit_id>/versions",
        LimitViewSet.as_view({"get": "versions"}),
        name="api-limit-versions",
    ),
    path("limits/<int:limit_id>/decision", LimitDecisionView.as_view(), name="api-limit-decision"),
    path("limits/<int:limit_id>/removal", LimitRemovalView.as_view(), name="api-limit-removal"),
    path(
        "limits/<int:limit_id>/increases", LimitIncreasesView.as_view(), name="api-limit-increases"
    ),
    path(
        "limits/increases/<int:increase_id>/decision",
        IncreaseDecisionView.as_view(),
        name="api-increase-decision",
    ),
    path("breaches", BreachViewSet.as_view({"get": "list"}), name="api-breaches"),
    path(
        "breaches/<int:breach_id>",
        BreachViewSet.as_view({"get": "retrieve"}),
        name="api-breach",
    ),
    path("breaches/<int:breach_id>/actions", BreachActionView.as_view(), name="api-breach-actions"),
    path("runs", RiskRunViewSet.as_view({"get": "list", "post": "create"}), name="api-risk-runs"),
    path("runs/<uuid:run_id>", RiskRunViewSet.as_view({"get": "retrieve"}), name="api-risk-run"),
    path("runs/<uuid:run_id>/components", RunComponentsView.as_view(), name="api-run-components"),
    path("runs/<uuid:run_id>/scenarios", RunScenariosView.as_view(), name="api-run-scenarios"),
    path("runs/<uuid:run_id>/comparison", RunComparisonView.as_view(), name="api-run-comparison"),
    path("runs/<uuid:run_id>/export", RunExportView.as_view(), name="api-run-export"),
]
