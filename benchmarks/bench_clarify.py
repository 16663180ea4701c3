"""How often the detector of clarifications is right, on dialogues nobody here wrote.

    python benchmarks/bench_clarify.py --traces FOLDER --trajectories gpt-4o-airline.json

FOLDER holds `taubench_airline_few_shot.jsonl.gz` and `taubench_retail_few_shot.jsonl.gz` (tau-bench, MIT: simulated
support dialogues) and `nurtureboss_traces_labeled.shared.jsonl.gz` (recipe-chatbot, GPL-3.0: production traces of a
leasing assistant). One reader judged every turn the detector finds and every turn that an open-ended search for
negations, doubts and repetitions brings up; `CORRECTING` are those that correct the answer before them.

`gpt-4o-airline.json` is tau-bench's historical_trajectories at commit 59a200c (200 dialogues of GPT-4o with a simulated
user, MIT). The detector had been finished before anybody looked at them, so of those only precision is known: the same
reader judged what it finds.
"""

from __future__ import annotations

import argparse
import gzip
import json
import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from thumbwheel.capture.clarify import clarifications
from thumbwheel.stats.interval import wilson_count

TAU = {"air": "taubench_airline_few_shot.jsonl.gz", "ret": "taubench_retail_few_shot.jsonl.gz"}
NURTURE = "nurtureboss_traces_labeled.shared.jsonl.gz"

#: Dialogue / number of the user's turn.
CORRECTING = frozenset(
    "air2/2 air12/2 air18/6 ret11/5 ret15/5 ret21/4 ret21/5 ret21/6 nb7/4 nb8/6 nb8/7 nb19/2 nb26/6 nb35/12".split()
)

#: What it finds among the trajectories, and of that what corrects.
UNSEEN_JUDGED = frozenset("13/10 35/1 80/5 90/4 135/1 195/3".split())
UNSEEN_CORRECTING = UNSEEN_JUDGED - {"80/5"}


def rows(path: Path) -> Iterator[tuple[int, dict]]:
    with gzip.open(path, "rt") as lines:
        for number, line in enumerate(lines):
            yield number, json.loads(line)


def dialogues(folder: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Name and turns (role, text) of each."""
    for short, name in TAU.items():
        for number, row in rows(folder / name):
            parts = re.split(r"\n(?=(?:user|assistant|tool): )", row["messages_display"])
            turns = [(role, text) for role, _, text in (part.partition(": ") for part in parts)]
            yield f"{short}{number}", [(role, "" if text == "None" else text) for role, text in turns]
    for number, row in rows(folder / NURTURE):
        yield f"nb{number}", [(each["role"], str(each["content"] or "")) for each in row["messages"]]


def unseen(path: Path) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    for number, row in enumerate(json.loads(path.read_text())):
        yield str(number), [(each["role"], each.get("content") or "") for each in row["traj"]]


def report(title: str, found_in: Iterator[tuple[str, list[tuple[str, str]]]], correcting: frozenset[str]) -> set[str]:
    found: dict[str, str] = {}
    n_dialogues = n_turns = 0
    for name, dialogue in found_in:
        n_dialogues += 1
        users = [place for place, (role, _) in enumerate(dialogue) if role == "user"]
        answers = [place for place, (role, text) in enumerate(dialogue) if role == "assistant" and text.strip()]
        n_turns += sum(bool(answers) and place > answers[0] for place in users)
        found |= {f"{name}/{users.index(each.turn)}": each.cue.value for each in clarifications(dialogue)}
    right = found.keys() & correcting
    print(f"{title}: {n_dialogues} dialogues, {n_turns} user turns after an answer")
    print(
        f"  found {len(found)}: {dict(Counter(found.values()))}; wrong: {sorted(found.keys() - correcting) or 'none'}"
    )
    if found:
        print(f"  precision {len(right)}/{len(found)}, {share(len(right), len(found))}")
    return set(found)


def share(n: int, of: int) -> str:
    interval = wilson_count(n, of)
    return f"{n / of:.2f} ({interval.low:.2f} to {interval.high:.2f}, Wilson 95 %)"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--traces", type=Path)
    parser.add_argument("--trajectories", type=Path)
    options = parser.parse_args()
    if options.traces:
        found = report("seen while writing", dialogues(options.traces), CORRECTING)
        n = len(found & CORRECTING)
        print(f"  recall {n}/{len(CORRECTING)}, {share(n, len(CORRECTING))}; missed: {sorted(CORRECTING - found)}")
    if options.trajectories:
        found = report("unseen", unseen(options.trajectories), UNSEEN_CORRECTING)
        print(f"  not judged: {sorted(found - UNSEEN_JUDGED) or 'none'}")


if __name__ == "__main__":
    main()
