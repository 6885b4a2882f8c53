"""Pages of risk."""

from django.urls import path

from . import breaches, correlations, limits, pages, runs, scenarios, stresses

app_name = "risk"
urlpatterns = [
    path("", pages.home, name="home"),
    path("state/<uuid:book_id>/", pages.state, name="state"),
    path("correlations/", correlations.page, name="correlations"),
    path("limits/", limits.limits, name="limits"),
    path("limits/propose/", limits.propose, name="propose_limit"),
    path("limits/<int:limit_id>/", limits.limit, name="limit"),
    path("limits/<int:limit_id>/increase/", limits.increase, name="increase_limit"),
    path("limits/<int:limit_id>/remove/", limits.remove, name="remove_limit"),
    path("limits/<int:limit_id>/decide/", limits.decide, name="decide_limit"),
    path(
        "limits/increases/<int:increase_id>/decide/",
        limits.decide_on_increase,
        name="decide_increase",
    ),
    path("breaches/", breaches.breaches, name="breaches"),
    path("breaches/<int:breach_id>/", breaches.breach, name="breach"),
    path("breaches/<int:breach_id>/<slug:verb>/", breaches.act, name="act_on_breach"),
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
    path("runs/", runs.RiskRunList.as_view(), name="runs"),
    path("runs/ask/", runs.ask, name="run-ask"),
    path("runs/<uuid:run_id>/", runs.run, name="run"),
    path("runs/<uuid:run_id>/component/", runs.component, name="run-component"),
    path("runs/<uuid:run_id>/trades/<str:ref>/", runs.trade, name="run-trade"),
    path("runs/<uuid:run_id>/scenarios/<int:position>/", runs.scenario, name="run-scenario"),
    path("runs/<uuid:run_id>/compare/", runs.compare, name="run-compare"),
    path("runs/<uuid:run_id>/export/", runs.export, name="run-export"),
]  # fmt: skip
