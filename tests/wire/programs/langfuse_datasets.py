"""A developer's script with any of Langfuse's Python SDKs: a dataset, its items, a run over them, score configs, a queue."""

import json
import os
import sys
from importlib.metadata import version

from langfuse import Langfuse

major = int(version("langfuse").split(".")[0])
client = Langfuse(public_key=os.environ["PUBLIC"], secret_key=os.environ["SECRET"], host=os.environ["BASE"])
api = client.client if major == 2 else client.api
seen: dict = {}

made = client.create_dataset(name="capitals of/Europe", description="to know", metadata={"by": "me"})
for id, country, city in (("it", "Italy", "Rome"), ("fr", "France", "Paris"), ("de", "Germany", "Berlin")):
    item = {"input": {"country": country}, "expected_output": city, "id": id}
    client.create_dataset_item(dataset_name="capitals of/Europe", **item)
dataset = client.get_dataset("capitals of/Europe", fetch_items_page_size=2)
seen["dataset"] = [dataset.id == made.id, dataset.description, dataset.metadata]
seen["items"] = [[item.id, item.input, item.expected_output] for item in dataset.items]

if major == 2:
    trace = client.trace(name="run")
    dataset.items[0].link(trace, "first try")
    client.flush()
    seen["run"] = [client.get_dataset_run("capitals of/Europe", "first try").dataset_run_items[0].dataset_item_id]
elif major < 5:
    result = dataset.run_experiment(name="try", run_name="first try", task=lambda *, item, **_: "Rome")
    run = client.get_dataset_run(dataset_name="capitals of/Europe", run_name="first try")
    seen["run"] = [item.dataset_item_id for item in run.dataset_run_items]
    seen["outputs"] = [each.output for each in result.item_results]

configs = api.score_configs
config = {"name": "stars", "data_type": "NUMERIC", "max_value": 5}
if major < 4:
    from langfuse.api import CreateScoreConfigRequest

    given = CreateScoreConfigRequest(name="stars", dataType="NUMERIC", maxValue=5)
    seen["config"] = configs.create(request=given).max_value
else:
    seen["config"] = configs.create(**config).max_value
seen["configs"] = [each.name for each in configs.get().data]
queues = api.annotation_queues
seen["queues"] = [each.name for each in queues.list_queues().data]
if major >= 4:
    queue = queues.create_queue(name="mine", score_config_ids=[])
    item = queues.create_queue_item(queue.id, object_id="t1", object_type="TRACE")
    done = queues.update_queue_item(queue.id, item.id, status="COMPLETED")
    seen["queue"] = [item.status, done.status, len(queues.list_queue_items(queue.id).data)]
client.flush()
json.dump(seen, sys.stdout, default=str)
