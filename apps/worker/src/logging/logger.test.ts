import { expect, it } from "vitest";
import { createLogger } from "./logger.ts";

async function linesOf(level: "info" | "silent", use: (logger: Awaited<ReturnType<typeof createLogger>>) => void) {
  const lines: string[] = [];
  use(await createLogger(level, (line) => lines.push(line)));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

it("writes one JSON object a record, with level, time, message and fields", async () => {
  const [line] = await linesOf("info", (logger) => logger.info("model loaded", { loadMs: 12 }));
  expect(line).toMatchObject({ level: "info", msg: "model loaded", loadMs: 12, time: expect.stringMatching(/Z$/) });
});

it("keeps to its level", async () => {
  expect(await linesOf("info", (logger) => logger.debug("detail"))).toEqual([]);
  expect(await linesOf("silent", (logger) => logger.error("bad"))).toEqual([]);
});

it("a child's lines carry its fields", async () => {
  const [line] = await linesOf("info", (logger) => logger.child({ jobId: "a" }).warn("slow"));
  expect(line).toMatchObject({ jobId: "a", level: "warn" });
});

it("strikes out text and secrets, also one level below", async () => {
  const [line] = await linesOf("info", (logger) =>
    logger.info("job", { transcript: "hush", input: { transcript: "hush", top_k: 5 }, secretAccessKey: "hush" }),
  );
  expect(JSON.stringify(line)).not.toContain("hush");
  expect(line).toMatchObject({ input: { top_k: 5 } });
});
