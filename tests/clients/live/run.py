"""Each client follows a chat through a drain and a `kill -9` of the server: it must get every message once, in order."""

import json
import os
import pathlib
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request

HERE = pathlib.Path(__file__).parent
PROGRAM, NODE = sys.argv[1], "node"
CLIENTS = {
    "npm ws": [NODE, "ws.mjs"],
    "npm eventsource": [NODE, "eventsource.mjs"],
    "PyPI websockets": [sys.executable, "websockets_client.py"],
    "PyPI httpx-sse": [sys.executable, "httpx_sse_client.py"],
    "PyPI sseclient-py": [sys.executable, "sseclient_py_client.py"],
}
PATIENCE = 60


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def until(what, condition):
    deadline = time.monotonic() + PATIENCE
    while not (found := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not in time: {what}")
        time.sleep(0.05)
    return found


class Server:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.api = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self):
        settings = {"DATA_DIR": f"{self.folder}/data", "PORT": str(self.port), "RATE_LIMITS": "off", "RUST_LOG": "warn",
                    "ADMIN_EMAIL": "admin@example.com", "ADMIN_PASSWORD": "live clients"}
        with open(f"{self.folder}/log", "a") as log:
            self.process = subprocess.Popen([PROGRAM, "serve"], env=settings, stdout=log, stderr=log)
        until("the server is ready", self.is_ready)

    def is_ready(self):
        try:
            return urllib.request.urlopen(self.api + "/readyz", timeout=2).status == 200
        except OSError:
            return False

    def end(self, how):
        self.process.send_signal(how)
        self.process.wait(PATIENCE)

    def post(self, path, body, token=None):
        headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        request = urllib.request.Request(self.api + path, json.dumps(body).encode(), headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)


def main():
    with tempfile.TemporaryDirectory(prefix="livechatlog-live-") as folder:
        server = Server(folder)
        chat = server.post("/v1/widget/session", {"initialMessage": "Hello"})
        # One visitor has five streams at most.
        token, thread = chat["sessionToken"], chat["threadId"]
        outs, running = {}, []
        for name, command in CLIENTS.items():
            out, said = pathlib.Path(folder, name), pathlib.Path(folder, name + ".said")
            outs[name] = (out, said)
            environment = os.environ | {"API": server.api, "TOKEN": token}
            running.append(subprocess.Popen(command, cwd=sys.argv[2] if command[0] == NODE else HERE, env=environment,
                                            stdout=out.open("w"), stderr=said.open("w")))
        try:
            for name, (_, said) in outs.items():
                until(f"{name} is live", lambda: "live" in said.read_text())
            sent = []
            for how in (None, signal.SIGTERM, signal.SIGKILL):
                if how:
                    server.end(how)
                    server.start()
                for _ in range(20):
                    sent.append(f"message {len(sent)}")
                    server.post(f"/v1/threads/{thread}/events", {"content": sent[-1]}, token)
            failed = [name for name, (out, _) in outs.items() if not follows(name, out, sent)]
            return 1 if failed else 0
        finally:
            for process in running:
                process.kill()
            server.end(signal.SIGKILL)


def follows(name, out, sent):
    deadline = time.monotonic() + PATIENCE
    while (got := out.read_text().splitlines()) != sent and len(got) <= len(sent) and time.monotonic() < deadline:
        time.sleep(0.1)
    missed, twice = len(set(sent) - set(got)), len(got) - len(set(got))
    print(f"{name}: {len(got)} messages, {missed} missed, {twice} twice", file=sys.stderr)
    return got == sent


sys.exit(main())
