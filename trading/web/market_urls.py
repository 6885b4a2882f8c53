"""Routes of the pages of market data."""

from django.urls import path

from . import (
    curve_definitions,
    curve_files,
    curves,
    markets,
    price_processes,
    pricing_models,
)

urlpatterns = [
    path("prices/", markets.prices, name="prices"),
    path("prices/<str:code>/", markets.market_prices, name="market_prices"),
    path("curves/", curves.curves, name="curves"),
    path("curves/import-quotes/", curve_files.import_file, name="import_quotes"),
    path("curves/rates/", curves.rates, name="rates"),
    path("pricing-models/", pricing_models.models, name="pricing_models"),
    path("pricing-models/propose/", pricing_models.propose, name="propose_pricing_model"),
    path(
        "pricing-models/<int:model_id>/decide/", pricing_models.decide, name="decide_pricing_model"
    ),
    path("price-processes/", price_processes.processes, name="price_processes"),
    path("price-processes/propose/", price_processes.propose, name="propose_price_process"),
    path("price-processes/calibrate/", price_processes.calibrate, name="calibrate_process"),
    path(
        "price-processes/calibrations/<int:calibration_id>/",
        price_processes.calibration,
        name="process_calibration",
    ),
    path(
        "price-processes/<int:process_id>/decide/",
        price_processes.decide,
        name="decide_price_process",
    ),
    path("curves/define/<str:market>/", curve_definitions.define, name="define_curve"),
    path("curves/<str:market>/<str:code>/", curves.curve, name="curve"),
    path("curves/<str:market>/<str:code>/change/", curve_definitions.change, name="change_curve"),
    path(
        "curves/<str:market>/<str:code>/<int:number>/withdraw/",
        curves.withdraw,
        name="withdraw_quote",
    ),
    path("curves/<str:market>/<str:code>/build/", curves.build, name="build_curve"),
    path("curves/<str:market>/<str:code>/<int:number>/edit/", curves.edit, name="edit_curve"),
    path("curves/<str:market>/<str:code>/<int:number>/submit/", curves.submit, name="submit_curve"),
    path("curves/<str:market>/<str:code>/<int:number>/decide/", curves.decide, name="decide_curve"),
    path(
        "curves/<str:market>/<str:code>/<int:number>/rebuild/", curves.rebuild, name="rebuild_curve"
    ),
]
