"""What the scrubber finds and what it costs, beside Presidio as it comes: the figures of docs/privacy.md.

    python benchmarks/bench_scrub.py --spans presidio_generated_large.json.gz --answers halueval_general.jsonl.gz

`--spans` is a list of {"full_text", "spans": [{"entity_type", "start_position", "end_position"}]} as presidio-research
publishes it; `--answers` is JSONL with the answers under `chatgpt_response`. Both may be gzipped. Times are CPU time.
"""

from __future__ import annotations

import argparse
import gzip
import json
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from thumbwheel.connectors import kingfisher, presidio
from thumbwheel.connectors.scrubber import PatternScrubber
from thumbwheel.ports import Found

Find = Callable[[str], Sequence[Found]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=Path, required=True)
    parser.add_argument("--answers", type=Path, required=True)
    asked = parser.parse_args()
    rows = json.loads(read(asked.spans))
    answers = [json.loads(line)["chatgpt_response"] for line in read(asked.answers).splitlines()]
    makers: dict[str, Callable[[], Find]] = {"own forms": lambda: warm(national=False, secret_scanner=False)}
    if presidio.is_installed() and kingfisher.is_installed():
        makers["own forms, Presidio's national numbers, Kingfisher"] = warm
        makers["Presidio as it comes, blank pipeline"] = stock_presidio
    for name, make in makers.items():
        print(f"\n## {name}")
        find = make()
        accuracy(find, rows)
        print(f"ordinary answers with a finding other than URL: {touched(find, answers)} of {len(answers)}")
        # Another one, that has not seen these texts: ours remembers those in which there is nothing.
        cost(make(), answers, rows)


def warm(**chosen: bool) -> Find:
    scrubber = PatternScrubber(**chosen)
    scrubber.warm()
    return scrubber.find


def read(path: Path) -> str:
    data = path.read_bytes()
    return (gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data).decode()


def accuracy(find: Find, rows: Iterable[dict[str, Any]]) -> None:
    known, hit, ours, right, clean = Counter[str](), Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    for row in rows:
        found = find(row["full_text"])
        spans = [
            Found(s["entity_type"].replace("DOMAIN_NAME", "URL"), s["start_position"], s["end_position"])
            for s in row["spans"]
        ]
        known.update(span.type for span in spans)
        hit.update(
            s.type for s in spans if any(f.type == s.type and f.start <= s.start and f.end >= s.end for f in found)
        )
        ours.update(f.type for f in found)
        right.update(
            f.type for f in found if any(f.type == s.type and f.start < s.end and s.start < f.end for s in spans)
        )
        clean.update(f.type for f in found if not spans)
    print("| type | spans | recall | found | precision |\n|---|---|---|---|---|")
    for kind in sorted(known | ours):
        recall = f"{hit[kind] / known[kind]:.3f}" if known[kind] else "–"
        precision = f"{right[kind] / ours[kind]:.3f}" if ours[kind] else "–"
        print(f"| {kind} | {known[kind]} | {recall} | {ours[kind]} | {precision} |")
    print(f"found in texts without any span: {sum(clean.values())}")


def touched(find: Find, texts: Iterable[str]) -> int:
    return sum(any(found.type != "URL" for found in find(text)) for text in texts)


def cost(find: Find, answers: Sequence[str], rows: Sequence[dict[str, Any]]) -> None:
    """CPU milliseconds a kilobyte: single answers, answers joined to texts of 2 KB, texts full of personal data."""
    joined = "\n\n".join(answers)
    pieces = {
        "ordinary answers": list(answers),
        "ordinary text in pieces of 2 KB": [joined[at : at + 2000] for at in range(0, len(joined), 2000)],
        "texts with personal data": [row["full_text"] for row in rows],
    }
    for name, texts in pieces.items():
        chosen = texts[:400]
        start = time.process_time()
        for text in chosen:
            find(text)
        spent = time.process_time() - start
        size = sum(map(len, chosen))
        print(
            f"{name}: {1e6 * spent / size:.3f} ms/KB, {1e6 * spent / len(chosen):.0f} us a text of {size // len(chosen)} characters"
        )


def stock_presidio() -> Find:
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())

    class Blank(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__(models=[{"lang_code": "en", "model_name": "blank"}])
            setattr(self, "nlp", {"en": spacy.blank("en")})  # noqa: B010, Presidio declares it as None

        def load(self) -> None: ...

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.recognizers = [each for each in registry.recognizers if "spacy" not in getattr(each, "name", "").lower()]
    engine = AnalyzerEngine(registry=registry, nlp_engine=Blank(), supported_languages=["en"])

    def find(text: str) -> list[Found]:
        results = engine.analyze(text, language="en", score_threshold=0.3)
        return [Found(each.entity_type, each.start, each.end) for each in results]

    return find


if __name__ == "__main__":
    main()
