#!/usr/bin/env python3
"""A model that `diva pull` brought is found by huggingface_hub, which brings nothing again; and the reverse.

usage: hub.py PATH_OF_DIVA      needs huggingface_hub, tried with 0.36 and 2.4
A small hub is served here: no network and no account is needed.
"""
import hashlib
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading

COMMIT = "89abcdef" * 5
FILES = {"config.json": b'{"a": 1}', "unet/weights.bin": bytes(range(256)) * 40, "model.safetensors": b"x" * 5000}
downloads = []


def etag(content):
    large = len(content) > 1000
    return hashlib.sha256(content).hexdigest() if large else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def entry(name):
    size = len(FILES[name])
    large = {"lfs": {"oid": etag(FILES[name]), "size": size, "pointerSize": 134}} if size > 1000 else {}
    return {"type": "file", "path": name, "size": size, "oid": etag(FILES[name])[:40]} | large


class Hub(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.answer(False)

    def do_GET(self):
        self.answer(True)

    def answer(self, body):
        path = self.path.split("?")[0]
        if "/tree/" in path:
            content = json.dumps([entry(name) for name in FILES]).encode()
            headers = {}
        elif path.startswith("/api/models/org/tiny"):
            content = json.dumps({"id": "org/tiny", "modelId": "org/tiny", "sha": COMMIT, "private": False, "tags": [],
                                  "downloads": 0, "likes": 0,
                                  "siblings": [{"rfilename": name} for name in FILES]}).encode()
            headers = {}
        else:
            name = path.split(f"/resolve/{COMMIT}/")[-1].split("/resolve/main/")[-1]
            content = FILES[name]
            large = len(content) > 1000
            tag = etag(content)
            headers = {"ETag": f'"{tag}"', "X-Repo-Commit": COMMIT}
            if large:
                headers |= {"X-Linked-Etag": f'"{tag}"', "X-Linked-Size": str(len(content))}
            if body:
                downloads.append(name)
        self.send_response(200)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if body:
            self.wfile.write(content)

    def log_message(self, *_):
        pass


def main(diva):
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    endpoint = f"http://127.0.0.1:{server.server_port}"
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HF_ENDPOINT": endpoint, "HF_HUB_CACHE": f"{folder}/ours", "HF_HUB_DISABLE_XET": "1",
                       "HF_HUB_DISABLE_TELEMETRY": "1", "NO_PROXY": "127.0.0.1"}
        subprocess.run([diva, "pull", "org/tiny"], check=True)
        assert sorted(downloads) == sorted(FILES), downloads
        downloads.clear()
        from huggingface_hub import snapshot_download
        offline = snapshot_download("org/tiny", cache_dir=f"{folder}/ours", local_files_only=True)
        online = snapshot_download("org/tiny", cache_dir=f"{folder}/ours")
        assert offline == online and not downloads, (offline, online, downloads)
        for name, content in FILES.items():
            assert open(f"{online}/{name}", "rb").read() == content, name
        snapshot_download("org/tiny", cache_dir=f"{folder}/theirs")
        downloads.clear()
        os.environ["HF_HUB_CACHE"] = f"{folder}/theirs"
        subprocess.run([diva, "pull", "org/tiny"], check=True)
        assert not downloads, downloads
        trees = [sorted(os.path.relpath(os.path.join(place, name), f"{folder}/{cache}")
                        for place, _, names in os.walk(f"{folder}/{cache}/models--org--tiny") for name in names)
                 for cache in ("ours", "theirs")]
        assert trees[0] == trees[1], trees
    print("both find what the other brought; nothing was brought twice")


if __name__ == "__main__":
    main(*sys.argv[1:])
