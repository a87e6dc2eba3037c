"""Calls an endpoint with the official Python client and prints what it saw as one JSON object.

Arguments: base address, endpoint id. The endpoint must echo the input of a job, and stream the list `chunks`.
"""

import json
import sys

import runpod

runpod.api_key = "any-key"
runpod.endpoint_url_base = sys.argv[1]
endpoint = runpod.Endpoint(sys.argv[2])

seen = {"health": endpoint.health()}
seen["run_sync"] = endpoint.run_sync({"input": {"chunks": ["x"]}}, timeout=30)
job = endpoint.run({"input": {"chunks": ["a", "b", {"c": 3}]}})
seen["stream"] = list(job.stream())
seen["status"] = job.status()
seen["output"] = job.output(timeout=30)
slow = endpoint.run({"input": {"sleep": 30}})
seen["cancel"] = slow.cancel()["status"]
seen["purge"] = endpoint.purge_queue()["status"]
print(json.dumps(seen))
