"""Sends traces to a collector, by OTLP over HTTP. Only this module imports OpenTelemetry, which is an extra."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version
from typing import Final

from imagebuild_vocabulary.names import OPERATOR

from imagebuild_operator.api.errors import SettingsError
from imagebuild_operator.telemetry.trace import Trace

#: Path of traces, below the endpoint of a collector.
PATH: Final = "/v1/traces"
#: Queues a trace to be sent; does not block.
Send = Callable[[Trace], None]


@contextmanager
def tracing(endpoint: str | None) -> Iterator[Send | None]:
    """Provide a function that sends traces; on exit, send those that are still queued.

    Args:
        endpoint: URL of the collector, without a path: `http://collector.monitoring:4318`; None for no traces.

    Raises:
        SettingsError: OpenTelemetry is not installed.
    """
    if endpoint is None:
        yield None
        return
    try:
        send, close = _open(endpoint)
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"tracing.endpoint is set, but OpenTelemetry is not installed ({error}): run pip install "
            "'imagebuild-operator[otel]', or remove tracing.endpoint"
        ) from error
    try:
        yield send
    finally:
        close()


def _open(endpoint: str) -> tuple[Send, Callable[[], None]]:
    from opentelemetry.context import Context  # noqa: PLC0415 - an extra, and 5 MB of memory
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415
    from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
    from opentelemetry.sdk.trace import TracerProvider  # noqa: PLC0415
    from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
    from opentelemetry.sdk.trace.id_generator import IdGenerator  # noqa: PLC0415
    from opentelemetry.trace import (  # noqa: PLC0415
        NonRecordingSpan,
        SpanContext,
        Status,
        StatusCode,
        TraceFlags,
        set_span_in_context,
    )

    class Ids(IdGenerator):
        """Gives the IDs of the span that is about to start."""

        trace_id = span_id = 0

        def generate_trace_id(self) -> int:
            return self.trace_id

        def generate_span_id(self) -> int:
            return self.span_id

    ids = Ids()
    resource = Resource.create({"service.name": OPERATOR, "service.version": version(OPERATOR)})
    provider = TracerProvider(resource=resource, id_generator=ids)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint.rstrip("/") + PATH)))
    tracer = provider.get_tracer(OPERATOR)

    def send(trace: Trace) -> None:
        ids.trace_id = int(trace.trace_id, 16)
        flags = TraceFlags(TraceFlags.SAMPLED if trace.is_sampled else TraceFlags.DEFAULT)
        for index, span in enumerate(trace.spans):
            ids.span_id = int(span.span_id, 16)
            context = Context()
            if span.parent_id is not None:
                above = SpanContext(ids.trace_id, int(span.parent_id, 16), is_remote=index == 0, trace_flags=flags)
                context = set_span_in_context(NonRecordingSpan(above), context)
            made = tracer.start_span(
                span.name, context=context, start_time=_nanoseconds(span.start), attributes=span.attributes
            )
            if span.error is not None:
                made.set_status(Status(StatusCode.ERROR, span.error))
            made.end(_nanoseconds(span.end))

    return send, provider.shutdown


def _nanoseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1_000_000) * 1000
