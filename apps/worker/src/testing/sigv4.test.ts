import { expect, it } from "vitest";
import { signatureProblem } from "./sigv4.ts";

/** The worked examples of the AWS documentation ("Authenticating Requests: Using the Authorization Header / Query Parameters"). */
const KEY = {
  accessKeyId: "AKIAIOSFODNN7EXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
};

const PUT = {
  method: "PUT",
  target: "/test%24file.text",
  headers: {
    host: "examplebucket.s3.amazonaws.com",
    date: "Fri, 24 May 2013 00:00:00 GMT",
    "x-amz-date": "20130524T000000Z",
    "x-amz-storage-class": "REDUCED_REDUNDANCY",
    "x-amz-content-sha256": "44ce7dd67c959e0d3524ffac1771dfbba87d2b6b4b4e99e42034a8b803f8b072",
    authorization:
      "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request," +
      "SignedHeaders=date;host;x-amz-content-sha256;x-amz-date;x-amz-storage-class," +
      "Signature=98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
  },
  body: Buffer.from("Welcome to Amazon S3."),
};

const PRESIGNED = {
  method: "GET",
  target:
    "/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request" +
    "&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host" +
    "&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404",
  headers: { host: "examplebucket.s3.amazonaws.com" },
  body: Buffer.of(),
};

it("accepts the documented examples", () => {
  expect(signatureProblem(PUT, KEY)).toBeNull();
  expect(signatureProblem(PRESIGNED, KEY)).toBeNull();
});

it.each([
  ["another path", { ...PUT, target: "/test.text" }, "SignatureDoesNotMatch"],
  ["another body", { ...PUT, body: Buffer.from("Welcome.") }, "XAmzContentSHA256Mismatch"],
  [
    "another header",
    { ...PUT, headers: { ...PUT.headers, "x-amz-storage-class": "STANDARD" } },
    "SignatureDoesNotMatch",
  ],
  ["no signature", { ...PUT, headers: { host: "x" } }, "AccessDenied"],
  ["a longer life", { ...PRESIGNED, target: PRESIGNED.target.replace("86400", "86401") }, "SignatureDoesNotMatch"],
])("refuses %s", (_name, request, problem) => {
  expect(signatureProblem(request, KEY)).toBe(problem);
});

it("refuses another secret", () => {
  const wrong = { ...KEY, secretAccessKey: "other" };
  expect([signatureProblem(PUT, wrong), signatureProblem(PRESIGNED, wrong)]).toEqual([
    "SignatureDoesNotMatch",
    "SignatureDoesNotMatch",
  ]);
});
