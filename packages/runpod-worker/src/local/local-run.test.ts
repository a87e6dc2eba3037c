import { execFileSync } from "node:child_process";
import { mkdtemp, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import { JobError } from "../errors.ts";
import type { Handler } from "../jobs/handler.ts";
import { start } from "../start.ts";
import type { StartOptions } from "../start-options.ts";
import { FakeSurface, type FakeSurfaceOptions } from "../testing/fake-surface.ts";

const folders: string[] = [];

afterEach(async () => {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true });
});

async function folderWith(testInput?: string | Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "runpod-worker-"));
  folders.push(folder);
  if (testInput !== undefined) await writeFile(join(folder, "test_input.json"), testInput);
  return folder;
}

async function run(
  handler: Handler<never>,
  surfaceOptions: FakeSurfaceOptions,
  options: Partial<StartOptions> = {},
): Promise<FakeSurface & { code: number }> {
  const surface = new FakeSurface(surfaceOptions);
  const code = await start({ ...options, handler: handler as Handler, surface });
  expect(surface.exitCodes).toEqual([code]);
  return Object.assign(surface, { code });
}

const echo: Handler = (job) => ({ echo: job.input });

describe("one local run", () => {
  it("W01: without a queue and without test_input.json it warns and exits 1", async () => {
    const { code, lines } = await run(echo, { workingDirectory: await folderWith() });
    expect(code).toBe(1);
    expect(lines.slice(1)).toEqual(["WARN   | test_input.json not found, exiting."]);
  });

  it("refuses a test_input.json that is a pipe or far too large, at once", async () => {
    const pipe = await folderWith();
    execFileSync("mkfifo", [join(pipe, "test_input.json")]);
    const large = await folderWith("");
    await truncate(join(large, "test_input.json"), 2 ** 40);
    for (const [workingDirectory, reason] of [
      [pipe, "it is not a regular file"],
      [large, "it is too large (got 1099511627776 bytes, limit 67108864)"],
    ] as const) {
      const { code, lines } = await run(echo, { workingDirectory });
      expect(code).toBe(1);
      expect(lines.slice(1)).toEqual([`ERROR  | Cannot read test_input.json: ${reason}`]);
    }
  });

  it("W02: --test_input runs one job and exits 0", async () => {
    const { code, lines } = await run(echo, { argv: ["--test_input", '{"input":{}}'] });
    expect(code).toBe(0);
    expect(lines.slice(1)).toEqual([
      "INFO   | test_input set, using test_input as job input.",
      "INFO   | local_test | Started.",
      "INFO   | Job local_test completed successfully.",
      'INFO   | Job result: {"output":{"echo":{}}}',
      "INFO   | Local testing complete, exiting.",
    ]);
  });

  it("W03: invalid JSON in --test_input exits 1 and does not repeat the text", async () => {
    const { code, output } = await run(echo, { argv: ["--test_input", '{"input": secret'] });
    expect(code).toBe(1);
    expect(output).toContain("not valid JSON");
    expect(output).not.toContain("secret");
  });

  it("W04: unknown flags are left alone", async () => {
    const argv = ["--unknown", "x", '--test_input={"input":1}', "positional", "-v"];
    const { code } = await run(echo, { argv });
    expect(code).toBe(0);
  });

  it("W05: the first line is the banner, also where logs are JSON", async () => {
    const { lines } = await run(echo, { argv: ["--test_input", '{"input":1}'], env: { RUNPOD_ENDPOINT_ID: "ep" } });
    expect(lines[0]).toMatch(/^--- Starting Serverless Worker \| {2}Version 1\.12\.0\+ts\.\S+ ---$/);
    expect(JSON.parse(lines[1] ?? "")).toEqual({
      requestId: null,
      message: "test_input set, using test_input as job input.",
      level: "INFO",
    });
  });

  it("reads test_input.json of the working directory, with its id", async () => {
    const workingDirectory = await folderWith('\ufeff{"id":"mine","input":{"a":"ü"}}');
    const { code, lines } = await run(echo, { workingDirectory });
    expect(code).toBe(0);
    expect(lines).toContain("INFO   | Using test_input.json as job input.");
    expect(lines).toContain('INFO   | Job result: {"output":{"echo":{"a":"ü"}}}');
    expect(lines).toContain("INFO   | Job mine completed successfully.");
  });

  it.each(["{}", "[]", "5", '{"input":null}'])("refuses the job %s", async (testInput) => {
    const { code, lines } = await run(echo, { argv: ["--test_input", testInput] });
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe("ERROR  | Job has no input parameter. Unable to run.");
  });

  it.each([
    [
      "is not valid UTF-8",
      Buffer.from('{"input":{"a":"\xff"}}', "latin1"),
      "Cannot read test_input.json: it is not valid UTF-8",
    ],
    ["is not JSON", '{"input":', "Cannot read the job of test_input.json: it is not valid JSON"],
    ["has no input", "{}", "Cannot read the job of test_input.json: it has no input"],
    ["is not there", undefined, expect.stringContaining("Cannot read test_input.json: ENOENT")],
  ])("tells the caller that test_input.json %s", async (_name, testInput, error) => {
    const results: unknown[] = [];
    const surface = { workingDirectory: await folderWith(testInput) };
    const { code } = await run(echo, surface, { onLocalResult: (result) => results.push(result) });
    expect(code).toBe(1);
    expect(results).toEqual([{ output: null, error, hasRun: false }]);
  });

  it("fails with the handler's error", async () => {
    const { code, lines } = await run(() => ({ error: "bad" }), { argv: ["--test_input", '{"input":1}'] });
    expect(code).toBe(1);
    expect(lines.at(-1)).toBe("ERROR  | Job local_test failed with error: bad");
  });

  it("fails when the handler throws, with the two lines of a captured exception", async () => {
    const handler: Handler = () => {
      throw new JobError("boom");
    };
    const { code, lines } = await run(handler, { argv: ["--test_input", '{"input":1}'] });
    expect(code).toBe(1);
    expect(lines[3]).toBe("ERROR  | local_test | Captured Handler Exception");
    expect(lines[4]).toContain('ERROR  | {"error_type":"JobError","error_message":"boom"');
  });

  it("fails when the result cannot be written as JSON", async () => {
    const { code, lines } = await run(() => ({ n: 1n }), { argv: ["--test_input", '{"input":1}'] });
    expect(code).toBe(1);
    expect(lines.at(-1)).toContain("output.n is a BigInt");
  });

  it("iterates a generator and prints its chunks and the whole list", async () => {
    async function* handler(): AsyncGenerator<number> {
      yield 1;
      yield 2;
    }
    const { code, lines } = await run(handler, { argv: ["--test_input", '{"input":1}'] });
    expect(code).toBe(0);
    expect(lines).toContain("INFO   | local_test | Chunk 1: 1");
    expect(lines).toContain("INFO   | local_test | Chunk 2: 2");
    expect(lines).toContain('INFO   | Job result: {"output":[1,2]}');
  });

  it("prints progress and hands the result to the caller", async () => {
    const results: unknown[] = [];
    const handler: Handler = (_job, context) => {
      context.progress({ done: 0.5 });
      return "finished";
    };
    const { lines } = await run(
      handler,
      { argv: ["--test_input", '{"input":1}'] },
      { onLocalResult: (r) => results.push(r) },
    );
    expect(lines).toContain('INFO   | local_test | Progress: {"done":0.5}');
    expect(results).toEqual([{ output: "finished", error: null, hasRun: true }]);
  });

  it("aborts the handler's signal on SIGINT and exits 1", async () => {
    const surface = new FakeSurface({ argv: ["--test_input", '{"input":1}'] });
    const handler: Handler = (_job, { signal }) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        surface.signal("SIGINT");
      });
    const results: unknown[] = [];
    expect(await start({ handler, surface, onLocalResult: (result) => results.push(result) })).toBe(1);
    expect(surface.lines).toContain("INFO   | SIGINT received. Shutting down.");
    expect(results).toEqual([{ output: null, error: expect.stringContaining("SIGINT was received"), hasRun: true }]);
  });

  it("takes a job with a bad flag value for a usage error", async () => {
    const { code, lines } = await run(echo, { argv: ["--rp_api_port", "many"] });
    expect(code).toBe(2);
    expect(lines.at(-1)).toContain("--rp_api_port must be a whole number");
  });
});
