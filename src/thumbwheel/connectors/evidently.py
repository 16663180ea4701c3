"""Evidently's reports as alerts: one is raised when something drifted or a test failed, and none when all is well.

Read as Evidently writes them (0.7.21, evidently/core/report.py, core/metric_types.py; before 0.7,
evidently/legacy/report/report.py and legacy/test_suite/test_suite.py):

* since 0.7, `snapshot.json()` and `save_json`: `metrics` of `metric_name`, `config` and `value`, and `tests` of `name`,
  `description`, `status` and the `metric_config` each is about. The score of a column says nothing of drift by itself:
  its test does, and a metric without one is held against its own `threshold`, from below where the method gives a
  p-value. Of the dataset, `DriftedColumnsCount` is held against its `drift_share`.
* since 0.7, `snapshot.dumps()`: the same under `metric_results`, with the report's `metadata`.
* before, `report.json()`: `metrics` of `metric` and `result`, which says `dataset_drift`, `drift_detected` or
  `content_drift`; and `test_suite.json()`: `tests` of `name`, `description` and `status`.

A test that failed without being critical has the status WARNING and one that could not be run ERROR: neither says that
the traffic changed.

Evidently speaks of whole datasets, so the slice comes from `metadata` (category, model, prompt_version, release,
user_id, `filter`, `pull`, `lasts`), which the sender adds where the form has none, or from the address (`?filter=…`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from thumbwheel.connectors.alerts import FIELDS, read_lasts, read_pull
from thumbwheel.domain.alert import AlertRequest
from thumbwheel.errors import Invalid

#: Methods whose score is a p-value, so that a small one means drift: by the name one asks for, and by the one reported.
_P_VALUES: Final = frozenset(
    {
        "anderson",
        "anderson-darling",
        "chisquare",
        "chi-square p_value",
        "cramer_von_mises",
        "cramer-von mises",
        "es",
        "epps-singleton",
        "fisher_exact",
        "fisher's exact test",
        "g_test",
        "ks",
        "k-s p_value",
        "mannw",
        "mann-whitney u-rank test",
        "empirical_mmd",
        "t_test",
        "tvd",
        "total-variation-distance",
        "z",
        "z-test p_value",
    }
)


def is_evidently(body: Mapping[str, Any]) -> bool:
    """Whether a body is an Evidently report or test suite."""
    return any(isinstance(body.get(name), list) for name in ("metrics", "tests")) or isinstance(
        body.get("metric_results"), Mapping
    )


def read_evidently(body: Mapping[str, Any], filter_: str | None) -> list[AlertRequest]:
    """The alert of a report: one if something drifted or failed, else none.

    Raises Invalid when something did and no slice is named.
    """
    said = list(dict.fromkeys(_findings(body)))
    if not said:
        return []
    given = body.get("metadata")
    metadata: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    slice_ = {name: str(metadata[name]) for name in FIELDS if name in metadata}
    chosen = str(metadata["filter"]) if "filter" in metadata else filter_
    if not slice_ and chosen is None:
        raise Invalid(
            "This report names no slice: put category or filter into its metadata, or send it to ?filter=….",
            field="metadata",
        )
    more = f" and {len(said) - 1} more" if len(said) > 1 else ""
    lasts = metadata.get("lasts")
    return [
        AlertRequest(
            name=f"Evidently: {said[0]}{more}"[:200],
            slice=slice_,
            filter=chosen,
            pull=read_pull(metadata.get("pull"), "metadata.pull"),
            lasts=read_lasts(None if lasts is None else str(lasts), "metadata.lasts"),
        )
    ]


def _findings(body: Mapping[str, Any]) -> Iterator[str]:
    """What drifted or failed, in words."""
    kept = body.get("metric_results")
    results = [each for each in kept.values() if isinstance(each, Mapping)] if isinstance(kept, Mapping) else []
    tests = [*_mappings(body.get("tests")), *(test for each in results for test in _mappings(each.get("tests")))]
    for test in tests:
        if test.get("status") == "FAIL":
            yield str(test.get("name") or test.get("description") or "a test failed")
    tested = {str(_config(test).get("metric_id")) for test in tests}
    for metric in _mappings(body.get("metrics")):
        yield from _metric(metric, tested)
    for each in results:
        location = each.get("metric_value_location")
        config = location.get("metric") if isinstance(location, Mapping) else None
        if isinstance(config, Mapping):
            value = (
                {name: _value(each.get(name)) for name in ("count", "share")} if "share" in each else each.get("value")
            )
            yield from _metric({"id": config.get("metric_id"), "config": config.get("params"), "value": value}, tested)


def _metric(metric: Mapping[str, Any], tested: set[str]) -> Iterator[str]:
    result = metric.get("result")
    if isinstance(result, Mapping):
        yield from _before_07(result)
        return
    config = metric.get("config")
    if not isinstance(config, Mapping) or str(metric.get("id")) in tested:
        return
    kind, value = str(config.get("type", "")).rpartition(":")[2], metric.get("value")
    if kind == "ValueDrift" and _beyond(config, value):
        yield f"drift of {config.get('column')}"
    if kind == "DriftedColumnsCount" and isinstance(value, Mapping):
        share, most = _number(value.get("share")), _number(config.get("drift_share"))
        if share is not None and most is not None and share >= most:
            yield "dataset drift"


def _before_07(result: Mapping[str, Any]) -> Iterator[str]:
    if any(result.get(name) is True for name in ("dataset_drift", "drift_detected", "content_drift")):
        names = ("column_name", "text_column_name", "embeddings_name")
        column = next((result[name] for name in names if result.get(name)), None)
        yield f"drift of {column}" if column else "dataset drift"


def _beyond(config: Mapping[str, Any], value: object) -> bool:
    score, threshold = _number(value), _number(config.get("threshold"))
    if score is None or threshold is None:
        return False
    return score < threshold if str(config.get("method")).lower() in _P_VALUES else score >= threshold


def _config(test: Mapping[str, Any]) -> Mapping[str, Any]:
    config = test.get("metric_config")
    return config if isinstance(config, Mapping) else {}


def _mappings(given: object) -> list[Mapping[str, Any]]:
    return [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []


def _value(given: object) -> object:
    return given.get("value") if isinstance(given, Mapping) else given


def _number(given: object) -> float | None:
    return float(given) if isinstance(given, int | float) and not isinstance(given, bool) else None
