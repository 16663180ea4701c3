"""Structured logs and metrics. No event carries a prompt, an answer, an edit or a user."""

from __future__ import annotations

import logging
import sys

import structlog
from prometheus_client import Counter, Histogram

#: Rows by what became of them: accepted, duplicate, rejected.
INGESTED = Counter("thumbwheel_ingested_total", "Traces and signals by outcome.", ["what", "outcome"])
#: What users said and did that was not kept, because they had not agreed or had said no.
WITHOUT_CONSENT = Counter("thumbwheel_without_consent_total", "Refused for want of consent.", ["what", "channel"])
#: Pieces of personal data taken out, by type.
SCRUBBED = Counter("thumbwheel_scrubbed_total", "Pieces of personal data taken out, by type.", ["type"])
#: Seconds a request took, by route.
REQUEST_SECONDS = Histogram("thumbwheel_request_seconds", "Seconds a request took.", ["method", "route", "status"])


def configure_logs(*, as_json: bool) -> None:
    """Write events to standard error, as JSON lines or for reading."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
