#!/bin/sh
# Expected: sam build tags an image for each function of PackageType Image, by its logical id in lower case.
# Happens: functions of equal metadata share one image under the first one's name; under the second's there is none in Docker.
# Source: aws-sam-cli 1.170.0; Docker's engine is a stand-in on a socket that notes what it is asked to build.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/env"
"$folder/env/bin/python" -m pip install --quiet aws-sam-cli==1.170.0 2>/dev/null
cd "$folder"
printf 'FROM scratch\n' > Dockerfile
cat > template.json <<'JSON'
{"Transform": "AWS::Serverless-2016-10-31", "Resources": {
  "First": {"Type": "AWS::Serverless::Function", "Properties": {"PackageType": "Image", "MemorySize": 128},
    "Metadata": {"Dockerfile": "Dockerfile", "DockerContext": ".", "DockerTag": "latest"}},
  "Second": {"Type": "AWS::Serverless::Function", "Properties": {"PackageType": "Image", "MemorySize": 1024},
    "Metadata": {"Dockerfile": "Dockerfile", "DockerContext": ".", "DockerTag": "latest"}}}}
JSON
cat > build.py <<'PYTHON'
import http.server
import json
import os
import socketserver
import subprocess
import sys
import threading
import urllib.parse

asked = []


class Engine(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def answer(self, body):
        text = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("Api-Version", "1.48")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(text)

    def do_GET(self):
        images = self.path.endswith("/json")
        self.answer({"Id": "sha256:" + "0" * 64} if images else {"ApiVersion": "1.48", "Version": "28.0.0"})

    do_HEAD = do_GET

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", "0")))
        asked.extend(urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)["t"])
        self.answer({"stream": "Successfully built 000000000000\n"})

    def address_string(self):
        return ""

    def log_message(self, *_):
        pass


server = socketserver.ThreadingUnixStreamServer("docker.sock", Engine)
threading.Thread(target=server.serve_forever, daemon=True).start()
environment = os.environ | {"DOCKER_HOST": f"unix://{os.getcwd()}/docker.sock", "SAM_CLI_TELEMETRY": "0"}
sam = ["env/bin/sam", "build", "--template", "template.json"]
built = subprocess.run(sam, env=environment, capture_output=True, text=True)
if built.returncode:
    sys.exit(built.stderr)
import yaml

resources = yaml.safe_load(open(".aws-sam/build/template.yaml"))["Resources"]
names = {name: resource["Properties"]["ImageUri"] for name, resource in resources.items()}
print(subprocess.run(["env/bin/sam", "--version"], capture_output=True, text=True).stdout.strip())
print(f"Docker was asked to build {asked}")
print(f"the built template has {names}")
sys.exit(asked != ["first:latest"] or set(names.values()) != {"first:latest"})
PYTHON
env/bin/python build.py
