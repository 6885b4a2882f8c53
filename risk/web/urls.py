"""Pages of risk."""

from django.urls import path

from . import correlations, pages, scenarios, stresses

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
    path("stress/", stresses.home, name="stress"),
    path("stress/propose/", stresses.propose, name="propose_stress"),
    path("stress/library/", stresses.take_library, name="take_stress_library"),
    path("stress/<int:stress_id>/decision/", stresses.decide, name="decide_stress"),
    path("stress/books/<uuid:book_id>/", stresses.start, name="run_stresses"),
    path("stress/runs/<int:run_id>/", stresses.run, name="stress_run"),
]  # fmt: skip
