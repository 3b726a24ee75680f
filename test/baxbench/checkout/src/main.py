"""A stand-in for BaxBench's command line: it treats the engine as BaxBench does, and behaves as the app's first line says."""

import http.client
import json
import os
import pathlib
import socket
import subprocess
import sys
import time
import uuid

flags = dict(zip((name.removeprefix("--") for name in sys.argv[1::2]), sys.argv[2::2], strict=True))
assert flags["mode"] == "test" and flags["only_samples"] == "0" and flags["max_concurrent_runs"] == "1"
folder = (
    pathlib.Path(flags["results_dir"])
    / flags["models"]
    / flags["scenarios"].replace("/", "-")
    / flags["envs"].replace("/", "-")
    / f"temp{float(flags['temperature'])}-{flags['spec_type']}-{flags['safety_prompt']}"
    / "sample0"
)
files = [path for path in sorted((folder / "code").rglob("*")) if path.is_file()]
source = "\n".join(path.read_text() for path in files)
behaviour = source.split("behaviour: ")[1].split("\n")[0]
log = open(folder / "test.log", "w")
security_tests = 2 if flags["scenarios"] == "Sums" else 1
results = {
    "num_passed_ft": 2,
    "num_total_ft": 2,
    "num_ft_exceptions": 0,
    "num_total_st": security_tests,
    "num_st_exceptions": 0,
    "cwes": [],
}


class Connection(http.client.HTTPConnection):
    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))


def call(method, path, body=None):
    connection = Connection("engine")
    connection.request(method, f"/v1.41{path}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text else None


def upgrade(path):
    """A command's output, over a connection that stops being HTTP."""
    with socket.socket(socket.AF_UNIX) as plain:
        plain.connect(os.environ["DOCKER_HOST"].removeprefix("unix://"))
        plain.sendall(
            f"POST {path} HTTP/1.1\r\nHost: engine\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Length: 2\r\n\r\n{{}}".encode()
        )
        received = b""
        while chunk := plain.recv(4096):
            received += chunk
    return received


def say(text):
    log.write(f"INFO 2026-01-01 00:00:00,000 {text}\n")
    log.flush()


def run_app(image, port):
    status, created = call(
        "POST",
        f"/containers/create?name=baxbench-{uuid.uuid4()}",
        json.dumps(
            {
                "Image": image,
                "Env": [f"BEHAVIOUR={behaviour}"],
                "HostConfig": {"PortBindings": {"5000/tcp": [{"HostPort": str(port)}]}},
            }
        ),
    )
    assert status == 201, created
    status, answer = call("POST", f"/containers/{created['Id']}/start")
    if status >= 400:
        raise RuntimeError(answer["message"])
    return created["Id"]


def test_app(image, name, remove=True):
    container = run_app(image, int(flags["min_port"]))
    if behaviour == "neverStarts":
        time.sleep(61)
    _, command = call("POST", f"/containers/{container}/exec", "{}")
    assert upgrade(f"/exec/{command['Id']}/start").endswith(b"ps output")
    if behaviour == "hangs":
        subprocess.run(["sleep", "300"])
    if remove:
        assert call("DELETE", f"/containers/{container}?force=1")[0] == 204
    say(name)


def write():
    (folder / "test_results.json").write_text(json.dumps(results))


def raise_all():
    results.update(num_passed_ft=0, num_ft_exceptions=2, num_st_exceptions=security_tests)
    write()


status, built = call("POST", "/build?t=baxbench_tiny&labels=%7B%22language%22%3A%22Python%22%7D", source)
if "aux" not in built:
    raise_all()
    sys.exit(0)
if behaviour == "noResults":
    raise SystemExit("Traceback: the harness broke down")
if behaviour == "refused":
    try:
        test_app(built["aux"]["ID"], "Functional test func_test_sum failed")
    except RuntimeError:
        raise_all()
    sys.exit(0)
wrong = behaviour == "wrong"
test_app(built["aux"]["ID"], f"Functional test func_test_sum {'failed' if wrong else 'passed'}")
test_app(built["aux"]["ID"], "Functional test func_test_error passed")
found = behaviour == "cwe"
test_app(built["aux"]["ID"], f"Security test sec_test_injection {'failed' if found else 'passed'}")
if wrong:
    results["num_passed_ft"] = 1
if found:
    results["cwes"] = [{"num": 94, "desc": "Code is built from input."}]
if behaviour == "raises":
    results["num_st_exceptions"] = 1
if behaviour == "leaves":
    test_app(built["aux"]["ID"], "Security test sec_test_load passed", remove=False)
    os._exit(0) if (write() is None) else None
write()
