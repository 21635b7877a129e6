"""PyPI websockets: its own loop of connections, each of which resumes from the last position."""

import asyncio
import json
import os
import sys

import websockets

URL = os.environ["API"].replace("http", "ws") + "/v1/stream"


async def main():
    after, position = None, None
    while True:
        try:
            async with websockets.connect(URL, subprotocols=["livechatlog.v1"]) as socket:
                hello = {"frame": "hello", "token": os.environ["TOKEN"]}
                await socket.send(json.dumps(hello | ({"after": after} if after else {})))
                async for text in socket:
                    frame = json.loads(text)
                    if frame["frame"] == "welcome":
                        epoch = frame["epoch"]
                    if frame["frame"] == "event":
                        assert frame["after"] == position, frame
                    if "position" in frame:
                        position = frame["position"]
                        after = f"{epoch}:{position}"
                    if frame.get("data", {}).get("type") == "message":
                        print(frame["data"]["content"], flush=True)
                    if frame["frame"] == "live":
                        print("live", file=sys.stderr, flush=True)
        except (OSError, websockets.WebSocketException):
            pass
        await asyncio.sleep(0.3)


asyncio.run(main())
