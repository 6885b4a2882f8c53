"""Routes of the pages of reference data."""

from django.urls import path

from . import books, companies, holiday_years, imports, lists, places

urlpatterns = [
    path("counterparties/", lists.CounterpartyList.as_view(), name="counterparties"),
    path("counterparties/new/", companies.new_counterparty, name="counterparty_new"),
    path("counterparties/<uuid:counterparty_id>/", companies.counterparty, name="counterparty"),
    path(
        "counterparties/<uuid:counterparty_id>/edit/",
        companies.edit_counterparty,
        name="counterparty_edit",
    ),
    path(
        "counterparties/<uuid:counterparty_id>/agreements/new/",
        companies.new_agreement,
        name="agreement_new",
    ),
    path("agreements/", lists.AgreementList.as_view(), name="agreements"),
    path("agreements/<uuid:agreement_id>/edit/", companies.edit_agreement, name="agreement_edit"),
    path(
        "agreements/<uuid:agreement_id>/netting-sets/new/",
        companies.new_netting_set,
        name="netting_set_new",
    ),
    path(
        "netting-sets/<uuid:netting_set_id>/edit/",
        companies.edit_netting_set,
        name="netting_set_edit",
    ),
    path("netting-sets/<uuid:netting_set_id>/annexes/new/", companies.new_annex, name="annex_new"),
    path("annexes/<uuid:annex_id>/edit/", companies.edit_annex, name="annex_edit"),
    path("books/", books.books, name="books"),
    path("books/new/", books.new_book, name="book_new"),
    path("books/<uuid:book_id>/", books.book, name="book"),
    path("books/<uuid:book_id>/edit/", books.edit_book, name="book_edit"),
    path("books/<uuid:book_id>/products/new/", books.new_product, name="product_new"),
    path("approved-products/<uuid:line_id>/edit/", books.edit_product, name="product_edit"),
    path("approved-products/<uuid:line_id>/withdraw/", books.withdraw, name="product_withdraw"),
    path("commodities/", lists.CommodityList.as_view(), name="commodities"),
    path("commodities/new/", places.new_commodity, name="commodity_new"),
    path("commodities/<str:code>/edit/", places.edit_commodity, name="commodity_edit"),
    path("delivery-points/", lists.MarketList.as_view(), name="delivery_points"),
    path("delivery-points/new/", places.new_delivery_point, name="delivery_point_new"),
    path("delivery-points/<str:code>/", places.delivery_point, name="delivery_point"),
    path(
        "delivery-points/<str:code>/edit/", places.edit_delivery_point, name="delivery_point_edit"
    ),
    path("indices/", lists.IndexList.as_view(), name="indices"),
    path("indices/new/", places.new_index, name="index_new"),
    path("indices/<str:code>/", places.index, name="index"),
    path("indices/<str:code>/edit/", places.edit_index, name="index_edit"),
    path("plants/", lists.PlantList.as_view(), name="plants"),
    path("plants/new/", places.new_plant, name="plant_new"),
    path("plants/<str:code>/", places.plant, name="plant"),
    path("plants/<str:code>/edit/", places.edit_plant, name="plant_edit"),
    path("shapes/", lists.ShapeList.as_view(), name="shapes"),
    path("shapes/<str:code>/", places.shape_calendar, name="shape_calendar"),
    path("shapes/<str:code>/publish/", places.new_shape, name="shape_new"),
    path("holidays/", lists.HolidayList.as_view(), name="holiday_lists"),
    path("holidays/<str:code>/", places.holidays, name="holidays"),
    path("holidays/<str:code>/publish/", holiday_years.publish_year, name="holidays_publish"),
    path("fx-rates/", lists.FxRateList.as_view(), name="fx_rates"),
    path("fx-rates/new/", places.new_fx_rate, name="fx_rate_new"),
    path("reference/", imports.reference, name="reference"),
    path("reference/export/", imports.export, name="reference_export"),
    path("reference/import/<uuid:import_id>/", imports.difference, name="reference_import"),
    path(
        "reference/import/<uuid:import_id>/confirm/",
        imports.confirm,
        name="reference_confirm",
    ),
]
