"""Pages of risk."""

from django.urls import path

from . import correlations, pages, scenarios

app_name = "risk"
urlpatterns = [
    path("", pages.home, name="home"),
    path("state/<uuid:book_id>/", pages.state, name="state"),
    path("limits/<uuid:book_id>/", pages.limit, name="limit"),
    path("correlations/", correlations.page, name="correlations"),
    path("scenarios/", scenarios.home, name="scenarios"),
    path("scenarios/propose/", scenarios.propose, name="propose_scenarios"),
    path("scenarios/compare/", scenarios.compare, name="compare_scenarios"),
    path(
        "scenarios/comparisons/<int:comparison_id>/", scenarios.comparison,
        name="scenario_comparison",
    ),
    path(
        "scenarios/definitions/<int:definition_id>/", scenarios.definition,
        name="scenario_definition",
    ),
    path(
        "scenarios/definitions/<int:definition_id>/decision/", scenarios.decide,
        name="decide_scenarios",
    ),
    path("scenarios/sets/<int:set_id>/", scenarios.scenario_set, name="scenario_set"),
]  # fmt: skip
