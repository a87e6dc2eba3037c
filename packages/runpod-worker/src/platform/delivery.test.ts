import { expect, it } from "vitest";
import { deliver, type DeliveryLimits } from "./delivery.ts";
import type { PlatformClient } from "./platform-client.ts";
import { RequestFailure } from "./request-failure.ts";
import { sleep } from "./sleep.ts";

const LIMITS: DeliveryLimits = { budgetMs: 100, backOffMs: 1, backOffMaxMs: 1, timeoutMs: 1_000, idleTimeoutMs: 1_000 };
const PARCEL = { url: "http://platform/done", jobId: "j1", body: Buffer.from("{}"), onRetry: () => {} };

/** A platform that answers 500 to the first attempts, and then not in time. */
function clientOf(answers: number): PlatformClient {
  let tries = 0;
  const post = async (_url: string, { timeoutMs }: { readonly timeoutMs: number }) => {
    if (tries++ < answers) return { status: 500, headers: {}, body: Buffer.alloc(0) };
    await sleep(timeoutMs + 5);
    throw new RequestFailure("timeout", `no complete answer within ${timeoutMs} ms`);
  };
  return { post } as unknown as PlatformClient;
}

it("reports the platform's last answer, when the time left was too short for another attempt", async () => {
  expect(await deliver(clientOf(3), PARCEL, LIMITS)).toEqual({ kind: "lost", detail: "HTTP 500" });
});

it("reports the timeout when there was no other attempt", async () => {
  expect(await deliver(clientOf(0), PARCEL, LIMITS)).toMatchObject({
    kind: "lost",
    detail: expect.stringMatching(/^no complete answer within \d/),
  });
});
