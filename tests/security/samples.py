"""
What the walk over all routes needs to know of them: who may come in, and samples of foreign rows.

A new route is guarded unless it stands here. A route with arguments stands in FOREIGN with a
factory of a row that belongs to somebody else, or in COMMON with the reason why nobody owns it.
"""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.db import transaction

from tests.factories.accounts import make_key, make_organization, make_site, make_user

Sample = Callable[[], dict[str, Any]]
MOMENT = datetime(2026, 11, 20, 12, tzinfo=UTC)

# Route → why a stranger may open it.
PUBLIC: dict[str, str] = {
    "account_login": "sign-in",
    "account_signup": "says that nobody signs up",
    "account_inactive": "told to closed accounts",
    "account_logout": "a stranger is sent home",
    "account_confirm_email": "link in a mail",
    "account_email_verification_sent": "after a mail was sent",
    "account_confirm_login_code": "a step of sign-in",
    "account_reset_password": "forgotten password",
    "account_reset_password_done": "forgotten password",
    "account_reset_password_from_key": "link in a mail",
    "account_reset_password_from_key_done": "link in a mail",
    "mfa_authenticate": "a step of sign-in",
    "mfa_login_webauthn": "a step of sign-in",
    "saml_acs": "answer of an identity provider, signed",
    "accounts:saml-finish": "answer of an identity provider, signed",
    "saml_finish_acs": "answer of an identity provider, signed",
    "saml_sls": "sign-out at an identity provider, signed",
    "saml_metadata": "our public SAML description",
    "saml_login": "sign-in",
    "openid_connect_login": "sign-in",
    "openid_connect_callback": "sign-in",
    "socialaccount_login_cancelled": "sign-in",
    "socialaccount_login_error": "sign-in",
    "socialaccount_signup": "a step of sign-in",
    "accounts:token": "clients identify themselves in the request",
    "accounts:revoke": "clients identify themselves in the request",
    "idp:oidc:token": "hidden by accounts:token",
    "idp:oidc:revoke": "hidden by accounts:revoke",
    "idp:oidc:device_code": "clients identify themselves in the request",
    "idp:oidc:configuration": "discovery",
    "idp:oidc:jwks": "public keys",
    "idp:oidc:authorization": "OAuth, redirects to sign-in when a client asks properly",
    "idp:oidc:logout": "OAuth",
    "idp:oidc:userinfo": "bearer token, answers 401 by itself",
    "observability:live": "health",
    "observability:ready": "health, without addresses or secrets",
    "observability:metrics": "by address or token, tested in tests/observability",
    "api-docs": "documentation of the API, the same for everybody",
    "api-docs-operation": "documentation of the API, the same for everybody",
    "api-schema": "documentation of the API, the same for everybody",
    "api-asyncapi": "documentation of the live feeds, the same for everybody",
    "portal:manifest": "static",
    "portal:service-worker": "static",
    "portal:offline": "static",
    "portal:robots": "static",
    "portal:gallery": "components with invented data, in local and test settings only",
    "portal:gallery-table": "components with invented data, in local and test settings only",
    "portal:gallery-error": "components with invented data, in local and test settings only",
}

# Routes that whoever is signed in may open: their own things, and the frame around everything.
SIGNED_IN: dict[str, str] = {
    "account_reauthenticate": "one's own account",
    "account_email": "one's own account",
    "account_change_password": "one's own account",
    "account_set_password": "one's own account",
    "mfa_": "one's own second factors",
    "socialaccount_connections": "one's own account",
    "usersessions_list": "one's own sessions",
    "idp:oidc:device_authorization": "one's own consent",
    "accounts:profile": "one's own profile",
    "accounts:sessions": "one's own sessions",
    "portal:home": "greets everybody; panels need their permissions",
    "portal:complete": "each section needs its permission",
    "portal:search": "finds only what each source lets the actor see",
    "portal:preferences": "one's own page settings",
    "portal:theme": "one's own page settings",
    "api-complete-view": "each section needs its permission; without any it is empty",
    "tables:": "one's own saved views",
}

# Prefixes that a package guards in its own way; each has tests of its own.
ELSEWHERE: dict[str, str] = {
    "admin/": "tests/security/test_admin.py",
    "_allauth/": "allauth's own JSON interface: 401 to strangers (test_sign_in.py)",
    "accounts/social/": "allauth's old addresses, which redirect to those above",
    "api/v1/devices/": "devices sign in with their own credentials (tests/devices)",
}

# Routes with arguments that name nobody's property.
COMMON: dict[str, str] = {
    "trading:market_prices": "markets and their prices belong to nobody",
    "trading:define_curve": "all organizations share markets and their curves",
    "trading:curve": "all organizations share forward curves",
    "trading:build_curve": "all organizations share forward curves",
    "trading:edit_curve": "all organizations share forward curves",
    "trading:submit_curve": "all organizations share forward curves",
    "trading:decide_curve": "all organizations share forward curves",
    "trading:rebuild_curve": "all organizations share forward curves",
    "trading:change_curve": "all organizations share forward curves",
    "trading:withdraw_quote": "all organizations share quotes",
    "trading:position_cell": "delivery points are shared; the cell adds the reader's books only",
    "api-curve-versions": "all organizations share forward curves",
    "api-curve-version": "all organizations share forward curves",
    "api-curve-proof": "all organizations share forward curves",
    "trading:decide_pricing_model": "all organizations share pricing models",
    "api-pricing-model-decision": "all organizations share pricing models",
    "risk:scenario_definition": "all organizations share definitions of scenarios",
    "risk:decide_scenarios": "all organizations share definitions of scenarios",
    "risk:decide_stress": "all organizations share stresses",
    "api-stress-decision": "all organizations share stresses",
    "risk:scenario_set": "all organizations share sets of scenarios",
    "api-scenario-decision": "all organizations share definitions of scenarios",
    "api-scenario-set": "all organizations share sets of scenarios",
    "trading:process_calibration": "all organizations share price processes",
    "trading:decide_price_process": "all organizations share price processes",
    "api-process-calibration": "all organizations share price processes",
    "api-price-process-decision": "all organizations share price processes",
    "trading:delivery_point": "all organizations share delivery points",
    "trading:delivery_point_edit": "all organizations share delivery points",
    "trading:commodity_edit": "all organizations share commodities",
    "trading:index": "all organizations share price indices",
    "trading:plant": "all organizations share plants",
    "trading:plant_edit": "all organizations share plants",
    "trading:holidays_publish": "all organizations share holidays",
    "api-plant": "all organizations share plants",
    "trading:index_edit": "all organizations share price indices",
    "trading:shape_calendar": "all organizations share load shapes",
    "trading:shape_new": "all organizations share load shapes",
    "trading:holidays": "all organizations share holidays",
    "api-delivery-point": "all organizations share delivery points",
    "api-delivery-hours": "all organizations share delivery points",
    "api-index": "all organizations share price indices",
}


def trade() -> dict[str, Any]:
    from tests.factories.trades import make_desk

    return {"ref": make_desk().deal().ref}


def trade_document() -> dict[str, Any]:
    from tests.factories.trades import make_desk
    from trading.services.documents import attach_document

    desk = make_desk()
    ref = desk.deal().ref
    made = attach_document(
        actor=desk.trader, ref=ref, kind="CONFIRMATION", name="deal.pdf", content=b"%PDF-1.7 deal"
    )
    return {"ref": ref, "uid": made.uid}


def pnl_adjustment() -> dict[str, Any]:
    from trading.models import PnlAdjustment

    row = PnlAdjustment.objects.create(
        **book(), day=date(2026, 11, 20), amount=1, currency="EUR", reason="statement",
        requested_by="user:somebody",
    )  # fmt: skip
    return {"adjustment_id": row.pk}


def drop_copy_message() -> dict[str, Any]:
    from trading.models import DropCopyMessage, DropCopyVenue

    venue = DropCopyVenue.objects.create(
        organization=make_organization(), code="SAMPLE", name="Sample", host="venue.invalid",
        port=1, sender_comp_id="US", target_comp_id="THEM",
    )  # fmt: skip
    row = DropCopyMessage.objects.create(
        venue=venue, message_type="8", content_hash="0" * 64, raw=b"", source="sample",
        received_at=MOMENT, state="UNMATCHED",
    )  # fmt: skip
    return {"message_id": row.pk}


def book() -> dict[str, Any]:
    from tests.factories.trades import make_book

    return {"book_id": make_book(make_organization()).pk}


def risk_run() -> dict[str, Any]:
    from risk.models import MarketSnapshot, RiskRun, ScenarioSet

    scenarios = ScenarioSet.objects.create(
        as_of=MOMENT, days=[MOMENT.date()], tenors=1, horizon_days=1, method="x",
        content_hash=f"{ScenarioSet.objects.count():064}",
    )  # fmt: skip
    snapshot = MarketSnapshot.objects.create(
        scenario_set=scenarios, valued_at=MOMENT, is_live=False,
        content_hash=scenarios.content_hash,
    )  # fmt: skip
    run = RiskRun.objects.create(
        book_id=book()["book_id"], kind="AD_HOC", method="HISTORICAL",
        confidences=[Decimal("0.99")], horizon_days=1, parameters={}, snapshot=snapshot,
        known_at=MOMENT, requested_by="system:test",
    )  # fmt: skip
    return {"run_id": run.pk}


def scenario_comparison() -> dict[str, Any]:
    from risk.models import ScenarioComparison, ScenarioDefinition
    from tests.factories.trades import make_book

    first, second = (
        ScenarioDefinition.objects.create(
            code="OTHER", number=number, owner="risk", scenarios=500, reason="x", proposed_by="y"
        )
        for number in (1, 2)
    )
    row = ScenarioComparison.objects.create(
        book=make_book(make_organization()), first=first, second=second, valued_at=MOMENT,
        currency="EUR", sides=[], asked_by="y",
    )  # fmt: skip
    return {"comparison_id": row.pk}


def stress_run() -> dict[str, Any]:
    from risk.models import MarketSnapshot, ScenarioSet, StressRun
    from tests.factories.trades import make_book

    scenarios = ScenarioSet.objects.create(
        as_of=MOMENT, days=[MOMENT.date()], tenors=1, horizon_days=1, method="x", content_hash="x"
    )
    snapshot = MarketSnapshot.objects.create(
        scenario_set=scenarios, valued_at=MOMENT, content_hash="x"
    )
    row = StressRun.objects.create(
        book=make_book(make_organization()), snapshot=snapshot, currency="EUR", value=0.0,
        results=[], asked_by="y",
    )  # fmt: skip
    return {"run_id": row.pk}


def counterparty() -> dict[str, Any]:
    from tests.factories.trades import make_counterparty

    return {"counterparty_id": make_counterparty(make_organization()).pk}


def limit() -> Any:
    from risk.models import Limit
    from tests.factories.trades import make_book

    owner = make_book(make_organization())
    return Limit.objects.create(
        book=owner, organization=owner.organization, confidence=Decimal("0.99"),
        amount=1, unit="EUR", number=1, reason="sample", proposed_by="user:somebody",
        status="APPROVED", decided_by="user:another", decided_at=MOMENT, is_active=True,
    )  # fmt: skip


def limit_id() -> dict[str, Any]:
    return {"limit_id": limit().pk}


def increase_id() -> dict[str, Any]:
    from risk.models import LimitIncrease

    row = LimitIncrease.objects.create(
        limit=limit(), number=1, amount=1, start_at=MOMENT, end_at=MOMENT + timedelta(days=1),
        reason="sample", proposed_by="user:somebody",
    )  # fmt: skip
    return {"increase_id": row.pk}


def breach_id() -> dict[str, Any]:
    from risk.models import LimitBreach

    row = LimitBreach.objects.create(limit=limit(), after=2.0, amount=1, cause="sample")
    return {"breach_id": row.pk}


def breach_verb() -> dict[str, Any]:
    return {**breach_id(), "verb": "note"}


def agreement() -> Any:
    from tests.factories.trades import make_counterparty
    from trading.models import Agreement

    return Agreement.objects.create(
        counterparty=make_counterparty(make_organization()),
        kind="ISDA",
        reference="ISDA-1",
        signed_date=date(2026, 1, 1),
        effective_date=date(2026, 1, 1),
        governing_law="English law",
    )


def netting_set() -> Any:
    from trading.models import NettingSet

    return NettingSet.objects.create(agreement=agreement(), code="ALL", name="All")


def annex() -> dict[str, Any]:
    from trading.models import CreditSupportAnnex

    row = CreditSupportAnnex.objects.create(
        netting_set=netting_set(),
        currency="EUR",
        minimum_transfer=Decimal(1),
        rounding=Decimal(1),
        valid_from=date(2026, 1, 1),
    )
    return {"annex_id": row.pk}


def approved_product() -> dict[str, Any]:
    from tests.factories.trades import make_book, make_power
    from trading.models import ApprovedProduct

    row = ApprovedProduct.objects.create(
        book=make_book(make_organization()), commodity=make_power()
    )
    return {"line_id": row.pk}


def reference_import() -> dict[str, Any]:
    from energyopti.accounts.actors import Actor
    from energyopti.accounts.roles import Role
    from trading.services.reference_files import stage_import

    officer = Actor.for_user(make_user(Role.RISK_OFFICER, organization=make_organization()))
    staged = stage_import(actor=officer, files={"commodities.csv": b"code"}, organization_id=None)
    return {"import_id": staged.id}


def trade_import() -> dict[str, Any]:
    from tests.factories.trades import make_desk
    from trading.services.trade_files import stage_trades

    staged = stage_trades(actor=make_desk().trader, name="deals.csv", content=b"side\nBUY\n")
    return {"import_id": staged.id}


def event() -> dict[str, Any]:
    from energyopti.accounts.actors import Actor
    from energyopti.foundation.events.services import record_event

    with transaction.atomic():
        row = record_event(
            type="sample.happened",
            actor=Actor.system("test"),
            aggregate_type="sample",
            aggregate_id=1,
            organization_id=make_organization().pk,
        )
    return {"uid": row.uid}


def job() -> dict[str, Any]:
    from energyopti.foundation.jobs.models import Job

    row = Job.objects.create(
        kind="sample",
        title="Somebody else's",
        task="sample",
        organization_id=make_organization().pk,
        requested_by="user:somebody",
    )
    return {"job_id": row.pk}


def validation_run() -> dict[str, Any]:
    from energyopti.foundation.jobs.models import Job
    from energyopti.foundation.validation.models import CaseSource, ValidationRun

    work = Job.objects.get(pk=job()["job_id"])
    row = ValidationRun.objects.create(
        organization_id=work.organization_id, source=CaseSource.SHIPPED, name="Shipped cases",
        job=work, requested_by="user:somebody",
    )  # fmt: skip
    return {"run_id": row.pk}


def alert_rule() -> Any:
    from support.models import AlertRule
    from tests.factories.trades import make_market

    return AlertRule.objects.create(
        organization=make_organization(),
        name="High price",
        market=make_market(),
        metric="PRICE_ABOVE",
        threshold=Decimal(100),
        created_at=MOMENT,
    )


def alert() -> dict[str, Any]:
    from support.models import Alert

    rule = alert_rule()
    row = Alert.objects.create(
        organization=rule.organization,
        rule=rule,
        fingerprint=f"sample-{rule.pk}",
        severity="WARNING",
        value=Decimal(120),
        interval_start=MOMENT,
        interval_end=MOMENT + timedelta(hours=1),
        periods=1,
        reason="price above 100",
        fired_at=MOMENT,
        seen_at=MOMENT,
    )
    return {"alert_id": row.pk}


def ticket() -> dict[str, Any]:
    from support.models import Ticket

    row = Ticket.objects.create(
        number=987_654,
        organization=make_organization(),
        subject="Not yours",
        opened_by="user:somebody",
        opened_at=MOMENT,
        due_at=MOMENT + timedelta(hours=8),
    )
    return {"number": row.number}


def carbon_report() -> Any:
    from compliance.esg.models import CarbonReport

    return CarbonReport.objects.create(
        organization=make_organization(),
        month=date(2026, 10, 1),
        version=1,
        period_start=MOMENT,
        period_end=MOMENT + timedelta(days=31),
        energy_kwh=Decimal(1),
        emissions_t=Decimal(1),
        is_complete=True,
        content={},
        content_hash="0" * 64,
        built_at=MOMENT,
    )


def supply_contract() -> dict[str, Any]:
    from tests.factories.billing import make_supply

    return {"reference": make_supply().contract.reference}


def invoice() -> dict[str, Any]:
    from billing.models import Invoice
    from tests.factories.billing import make_supply

    supply = make_supply()
    row = Invoice.objects.create(
        number="SAMPLE-2027-1",
        issuer=supply.issuer,
        year=2027,
        sequence=1,
        contract=supply.contract,
        organization=supply.customer,
        period_first=date(2027, 1, 1),
        period_after=date(2027, 2, 1),
        period_start=MOMENT,
        period_end=MOMENT + timedelta(days=31),
        currency="EUR",
        energy_kwh=Decimal(1),
        net=Decimal(1),
        tax=Decimal(0),
        gross=Decimal(1),
        issued_at=MOMENT,
        due_date=date(2027, 2, 15),
        data_cut_at=MOMENT,
        content={},
        content_hash="0" * 64,
    )
    return {"number": row.number}


def member() -> dict[str, Any]:
    return {"user_id": make_user(organization=make_organization()).pk}


def key() -> dict[str, Any]:
    return {"client_id": make_key()[0].client_id}


def end_of_day() -> dict[str, Any]:
    from trading.models import EndOfDay

    row = EndOfDay.objects.create(
        organization=make_organization(),
        day=date(2026, 11, 20),
        number=1,
        as_of=MOMENT,
        state="FAILED",
        requested_by="user:somebody",
    )
    return {"end_of_day_id": row.pk}


def device() -> dict[str, Any]:
    from tests.factories.devices import make_device

    return {"device_id": make_device(site=make_site(make_organization())).pk}


FOREIGN: dict[str, Sample] = {
    "devices:device": device,
    "accounts:rotate-key": key,
    "accounts:revoke-key": key,
    "accounts:member": member,
    "accounts:member-access": member,
    "accounts:withdraw-access": member,
    "accounts:close-member": member,
    "accounts:reopen-member": member,
    "accounts-site": lambda: {"pk": make_site(make_organization()).pk},
    "trading:end_of_day": end_of_day,
    "trading:sign_end_of_day": end_of_day,
    "trading:restate_end_of_day": end_of_day,
    "trading:prove_end_of_day": end_of_day,
    "api-end-of-day": end_of_day,
    "api-end-of-day-sign": end_of_day,
    "api-end-of-day-restate": end_of_day,
    "api-end-of-day-prove": end_of_day,
    "trading:trade": trade,
    "trading:package": trade,
    "trading:documents": trade,
    "trading:structure_value": trade,
    "trading:nominate": trade,
    "trading:value_preview": lambda: {"key": "0" * 64},
    "trading:document": trade_document,
    "trading:document_withdraw": trade_document,
    "trading:trade_verb": lambda: {**trade(), "verb": "cancel"},
    "trading:counterparty": counterparty,
    "trading:counterparty_edit": counterparty,
    "trading:agreement_new": counterparty,
    "trading:agreement_edit": lambda: {"agreement_id": agreement().pk},
    "trading:netting_set_new": lambda: {"agreement_id": agreement().pk},
    "trading:netting_set_edit": lambda: {"netting_set_id": netting_set().pk},
    "trading:annex_new": lambda: {"netting_set_id": netting_set().pk},
    "trading:annex_edit": annex,
    "trading:hedge_target": lambda: {**book(), "market": "DE", "month": "2027-03"},
    "trading:withdraw_hedge_target": lambda: {**book(), "market": "DE", "month": "2027-03"},
    "trading:book": book,
    "trading:book_edit": book,
    "trading:product_new": book,
    "trading:product_edit": approved_product,
    "trading:product_withdraw": approved_product,
    "trading:reference_import": reference_import,
    "trading:reference_confirm": reference_import,
    "api-counterparty": counterparty,
    "api-agreement": lambda: {"agreement_id": agreement().pk},
    "api-book": book,
    **dict.fromkeys(
        (
            "trading:drop_copy_message",
            "trading:drop_copy_retry",
            "trading:drop_copy_assign",
            "trading:drop_copy_settle",
            "api-drop-copy-message",
            "api-drop-copy-retry",
            "api-drop-copy-assign",
            "api-drop-copy-settle",
        ),
        drop_copy_message,
    ),
    "trading:trade_import": trade_import,
    "trading:trade_import_confirm": trade_import,
    "trading:trade_import_refusals": trade_import,
    "api-trade-import": trade_import,
    "api-trade-import-confirm": trade_import,
    "api-trade": trade,
    "api-trade-documents": trade,
    "api-trade-document": trade_document,
    "api-trade-document-withdraw": trade_document,
    "api-trade-package": trade,
    "api-option-value": trade,
    "api-structure-value": trade,
    "api-nominations": trade,
    "api-trade-meter": trade,
    "api-trade-package-release": trade,
    "api-trade-package-reject": trade,
    "api-pnl-adjustment": pnl_adjustment,
    "api-pnl-adjustment-approve": pnl_adjustment,
    "api-pnl-adjustment-reject": pnl_adjustment,
    **dict.fromkeys(
        (
            f"api-trade-{verb}"
            for verb in (
                "amend",
                "approve",
                "decline",
                "correct",
                "novate",
                "terminate",
                "cancel",
                "exercise",
                "release",
                "reject",
                "submit",
            )
        ),
        trade,
    ),
    "risk:state": book,
    "risk:limit": limit_id,
    "risk:increase_limit": limit_id,
    "risk:remove_limit": limit_id,
    "risk:decide_limit": limit_id,
    "risk:decide_increase": increase_id,
    "risk:breach": breach_id,
    "risk:act_on_breach": breach_verb,
    "api-risk": book,
    "risk:run_stresses": book,
    "risk:stress_run": stress_run,
    "api-stress-run": stress_run,
    "risk:scenario_comparison": scenario_comparison,
    **dict.fromkeys(
        (
            "risk:run",
            "risk:run-component",
            "risk:run-compare",
            "risk:run-export",
            "api-risk-run",
            "api-run-components",
            "api-run-scenarios",
            "api-run-comparison",
            "api-run-export",
        ),
        risk_run,
    ),
    "risk:run-trade": lambda: {**risk_run(), "ref": "T-00000001"},
    "risk:run-scenario": lambda: {**risk_run(), "position": 0},
    "api-scenario-comparison": scenario_comparison,
    "api-limit-versions": limit_id,
    "api-limit-decision": limit_id,
    "api-limit-removal": limit_id,
    "api-limit-increases": limit_id,
    "api-increase-decision": increase_id,
    "api-breach": breach_id,
    "api-breach-actions": breach_id,
    "jobs:detail": job,
    "jobs:cancel": job,
    "jobs:result": job,
    "jobs-api:detail": job,
    "jobs-api:cancel": job,
    "validation:run": validation_run,
    "validation:cases": validation_run,
    "validation:case": lambda: {**validation_run(), "number": 1},
    "validation-api:run": validation_run,
    "validation-api:run-cases": validation_run,
    "audit:event": event,
    "esg:report": lambda: {"report_id": carbon_report().pk},
    "esg:download": lambda: {"report_id": carbon_report().pk, "format_name": "pdf"},
    "carbon-report-detail": lambda: {"pk": carbon_report().pk},
    "billing:invoice": invoice,
    "billing:invoice-pdf": invoice,
    "invoice-detail": invoice,
    "contract-detail": supply_contract,
    "support:alert": alert,
    "support:acknowledge": alert,
    "support:switch-rule": lambda: {"rule_id": alert_rule().pk},
    "support:ticket": ticket,
    "support:ticket-status": ticket,
}
