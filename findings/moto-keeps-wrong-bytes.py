# moto stores an object although its Content-MD5 and its signed SHA-256 are those of other bytes, and answers 200; S3 answers 400.
# packages: moto[server]==5.2.5
#
# The mock reads both headers and compares neither with the body; rclone 1.76.0 ignores the signed SHA-256 as well. A client that is tested
# against it, or stores with such a server behind plain http, cannot trust 200: bytes that change on the way are kept. The ETag is the MD5
# of what was kept, so comparing it with the MD5 of what was sent finds the difference.
import base64
import hashlib
import sys
import urllib.error
import urllib.request

from moto.server import ThreadedMotoServer

SENT = b"RIFF audio"
MEANT = b"RIFF other"
# It checks no signature unless told to.
KEY = {
    "Authorization": "AWS4-HMAC-SHA256 Credential=a/20261129/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"
}


def request(method, url, body=None, headers={}):
    made = urllib.request.Request(url, data=body, method=method, headers=headers)
    try:
        with urllib.request.urlopen(made) as answer:
            return answer.status, answer.read(), answer.headers.get("ETag")
    except urllib.error.HTTPError as error:
        return error.code, error.read(), None


server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
server.start()
_, port = server.get_host_and_port()
bucket = f"http://127.0.0.1:{port}/audio"
request("PUT", bucket)
status, _, etag = request(
    "PUT",
    f"{bucket}/a.wav",
    SENT,
    {
        "Content-MD5": base64.b64encode(hashlib.md5(MEANT).digest()).decode(),
        "x-amz-content-sha256": hashlib.sha256(MEANT).hexdigest(),
        "Content-Type": "audio/wav",
        **KEY,
    },
)
_, kept, _ = request("GET", f"{bucket}/a.wav", headers=KEY)
server.stop()
print(f"PUT with the hashes of other bytes: HTTP {status}, ETag {etag}; kept {kept!r}")
holds = status == 200 and kept == SENT and etag == f'"{hashlib.md5(SENT).hexdigest()}"'
print("still so" if holds else "no longer so")
sys.exit(0 if holds else 1)
