"""The pages of a file of trades: light, dark, on a phone; by axe, and by keyboard."""

import os

import pytest
from django.conf import settings
from django.urls import reverse

from tests.e2e.axe import look_at
from tests.factories.trades import make_desk
from trading.models import CaptureBasis, Trade
from trading.services.trade_files import FileOptions, book_trades, stage_trades

pytestmark = [
    pytest.mark.slow,
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]
HEADER = "client_reference,side,quantity,market,period,price,reason\n"


def test_a_file_is_fit_to_be_tried_and_booked(page, base_url, session_of, tmp_path) -> None:
    desk = make_desk()
    cookie = {"name": settings.SESSION_COOKIE_NAME, "value": session_of(desk.trader.user)}
    page.context.add_cookies([{**cookie, "url": base_url}])
    good = HEADER + "".join(
        f"e-{n},{('BUY', 'SELL')[n % 2]},{n + 1},DE,Cal3{n % 3},8{n % 10}.2,agreed on the phone\n"
        for n in range(12)
    )
    bad = good + "".join(f"x-{n},BUY,1,DE,Kal{n},85,x\n" for n in range(101))
    options = FileOptions(CaptureBasis.ORDER, "EU", "ACME")
    staged = {
        name: stage_trades(
            actor=desk.trader, name=f"{name}.csv", content=content.encode(), options=options
        )
        for name, content in (("good", good), ("bad", bad), ("booked", good.replace("e-", "f-")))
    }
    book_trades(actor=desk.again(desk.trader), import_id=staged["booked"].id)
    paths = {
        "form": reverse("trading:trade_imports"),
        **{name: reverse("trading:trade_import", args=[s.id]) for name, s in staged.items()},
    }

    found = {name: look_at(page, base_url + path) for name, path in paths.items()}

    if folder := os.environ.get("SCREENSHOTS"):
        for name, path in paths.items():
            for width, scheme in ((1440, "light"), (1440, "dark"), (360, "light")):
                page.emulate_media(color_scheme=scheme)
                page.set_viewport_size({"width": width, "height": 900})
                page.goto(base_url + path)
                page.screenshot(path=f"{folder}/import-{name}-{width}-{scheme}.png")
    assert {name: problems for name, problems in found.items() if problems} == {}

    file = tmp_path / "typed.csv"
    file.write_text(good.replace("e-", "g-"))
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(base_url + reverse("trading:trades"))
    page.get_by_role("link", name="Import", exact=True).click()
    page.locator("#id_file").set_input_files(str(file))
    page.locator("#id_book").select_option("EU")
    page.locator("#id_counterparty").select_option("ACME")
    page.get_by_role("button", name="Try it").press("Enter")
    page.wait_for_url("**/trades/import/*/")
    assert page.get_by_role("button", name="Book 12 trades").is_visible()
    assert Trade.objects.count() == 12, "tried only"
