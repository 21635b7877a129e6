"""PyPI httpx-sse: with the read time-out that the documentation names."""

import json
import os
import sys
import time

import httpx
import httpx_sse

last, headers = None, {"Authorization": f"Bearer {os.environ['TOKEN']}"}
with httpx.Client(timeout=httpx.Timeout(5, read=None)) as client:
    while True:
        try:
            more = {"Last-Event-ID": last} if last else {}
            with httpx_sse.connect_sse(client, "GET", os.environ["API"] + "/v1/stream", headers=headers | more) as source:
                for event in source.iter_sse():
                    frame = event.json()
                    last = event.id
                    if frame.get("data", {}).get("type") == "message":
                        print(frame["data"]["content"], flush=True)
                    if event.event == "live":
                        print("live", file=sys.stderr, flush=True)
        except httpx.TransportError:
            pass
        time.sleep(0.3)
