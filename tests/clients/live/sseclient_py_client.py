"""PyPI sseclient-py over requests."""

import json
import os
import sys
import time

import requests
import sseclient

last, headers = None, {"Authorization": f"Bearer {os.environ['TOKEN']}", "Accept": "text/event-stream"}
while True:
    try:
        more = {"Last-Event-ID": last} if last else {}
        answer = requests.get(os.environ["API"] + "/v1/stream", stream=True, headers=headers | more)
        for event in sseclient.SSEClient(answer).events():
            frame = json.loads(event.data)
            last = event.id
            if frame.get("data", {}).get("type") == "message":
                print(frame["data"]["content"], flush=True)
            if event.event == "live":
                print("live", file=sys.stderr, flush=True)
    except requests.RequestException:
        pass
    time.sleep(0.3)
