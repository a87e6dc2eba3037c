# RunPod's Python client returns None for a job that FAILED: no exception, no error text.
# packages: runpod==1.12.0
#
# `Endpoint.run_sync()` returns the field `output` of the answer and does not look at `status` or `error`. A worker's error text reaches
# users of this client only if they ask for `/status` themselves; `if result is None` is the only sign of a failure.
import http.server, json, os, sys, threading


class FailedJob(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"id": "sync-1", "status": "FAILED", "error": "OUT_OF_MEMORY: the reason"}).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *args):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), FailedJob)
threading.Thread(target=server.serve_forever, daemon=True).start()
os.environ["RUNPOD_ENDPOINT_BASE_URL"] = f"http://127.0.0.1:{server.server_port}"
import runpod

runpod.api_key = "none"
try:
    result = runpod.Endpoint("test").run_sync({"input": {}}, timeout=10)
    print(f"run_sync returned {result!r}")
except Exception as error:
    result = error
    print(f"run_sync raised {error!r}")
holds = result is None
print("still so" if holds else "no longer so")
sys.exit(0 if holds else 1)
