"""OpenTelemetry, started only where OTEL_EXPORTER_OTLP_ENDPOINT names a collector."""

import os


def start_traces() -> None:
    """
    Export spans of requests, queries and tasks to the collector that the environment names.

    The standard variables apply (OTEL_SERVICE_NAME, OTEL_TRACES_SAMPLER …). Nothing of
    OpenTelemetry is imported before this is called. Spans carry the statement, not its values.
    """
    from opentelemetry import trace
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.instrumentation.celery import CeleryInstrumentor
    from opentelemetry.instrumentation.django import DjangoInstrumentor
    from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
    from opentelemetry.sdk.resources import SERVICE_NAME, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    name = os.environ.get("OTEL_SERVICE_NAME", "energyopti")
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    DjangoInstrumentor().instrument(request_hook=_name_request)
    PsycopgInstrumentor().instrument(enable_commenter=False)
    CeleryInstrumentor().instrument()


def _name_request(span: object, request: object) -> None:
    """Put our correlation id on the span, so that logs and traces find each other."""
    from .correlation import current_request_id

    set_attribute = getattr(span, "set_attribute", None)
    if set_attribute is not None and (request_id := current_request_id()):
        set_attribute("request_id", request_id)
