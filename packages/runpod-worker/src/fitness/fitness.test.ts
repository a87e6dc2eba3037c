import { createHash } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { PlatformLogger } from "../logging/logger.ts";
import { Redactor } from "../logging/redactor.ts";
import { availableMemoryBytes } from "./available-memory.ts";
import type { FitnessCheck } from "./fitness-checks.ts";
import { gpuChecks, problemsInGpuTest, type RunProgram } from "./gpu-checks.ts";
import { readFitnessKnobs } from "./knobs.ts";
import { modelFilesCheck } from "./model-files-check.ts";
import { systemChecks } from "./system-checks.ts";

function logTo(lines: string[]): PlatformLogger {
  return new PlatformLogger({
    writeOut: (text) => void lines.push(text.trim()),
    level: "DEBUG",
    isJson: false,
    redactor: new Redactor(),
  });
}

async function outcomeOf(checks: readonly FitnessCheck[], name: string): Promise<string> {
  const found = checks.find((check) => check.name === name);
  expect(found).toBeDefined();
  try {
    await found?.check();
    return "passed";
  } catch (error) {
    return String(error);
  }
}

describe("available memory", () => {
  const GIB = 1024 ** 3;
  const machine = { "/proc/meminfo": `MemTotal: 1 kB\nMemAvailable:   ${64 * 1024 * 1024} kB\n` };

  it.each([
    ["the machine's number without a container limit", machine, 64 * GIB],
    ["the machine's number when the limit is max", { ...machine, "/sys/fs/cgroup/memory.max": "max\n" }, 64 * GIB],
    [
      "what a version 2 container leaves, cache not counted",
      {
        ...machine,
        "/sys/fs/cgroup/memory.max": String(8 * GIB),
        "/sys/fs/cgroup/memory.current": String(7 * GIB),
        "/sys/fs/cgroup/memory.stat": `anon 5\ninactive_file ${3 * GIB}\n`,
      },
      4 * GIB,
    ],
    [
      "what a version 1 container leaves",
      {
        ...machine,
        "/sys/fs/cgroup/memory/memory.limit_in_bytes": String(2 * GIB),
        "/sys/fs/cgroup/memory/memory.usage_in_bytes": String(GIB),
      },
      GIB,
    ],
    [
      "the machine's number when version 1 says unlimited",
      { ...machine, "/sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712" },
      64 * GIB,
    ],
  ])("is %s", async (_name, files: Readonly<Record<string, string>>, expected) => {
    expect(await availableMemoryBytes(async (path) => files[path])).toBe(expected);
  });

  it("is a plausible number on this machine", async () => {
    expect(await availableMemoryBytes()).toBeGreaterThan(1024 ** 2);
  });
});

describe("system checks", () => {
  it("compare with the knobs", async () => {
    const lines: string[] = [];
    const log = logTo(lines);
    const mild = readFitnessKnobs({ RUNPOD_MIN_MEMORY_GB: "0.001", RUNPOD_MIN_DISK_PERCENT: "0" }, log);
    expect(await outcomeOf(systemChecks(mild, log), "_memory_check")).toBe("passed");
    expect(await outcomeOf(systemChecks(mild, log), "_disk_check")).toBe("passed");
    const strict = readFitnessKnobs({ RUNPOD_MIN_MEMORY_GB: "100000", RUNPOD_MIN_DISK_PERCENT: "101" }, log);
    expect(await outcomeOf(systemChecks(strict, log), "_memory_check")).toMatch(
      /Insufficient memory: .*100000GB required/,
    );
    expect(await outcomeOf(systemChecks(strict, log), "_disk_check")).toMatch(
      /Insufficient disk space: .*101% required/,
    );
  });

  it("the network check passes when a connection opens, and fails when it is refused", async () => {
    const log = logTo([]);
    const server = createServer();
    await new Promise<void>((resolve) => void server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const checks = systemChecks(readFitnessKnobs({}, log), log, { host: "127.0.0.1", port });
    expect(await outcomeOf(checks, "_network_check")).toBe("passed");
    await new Promise((resolve) => void server.close(resolve));
    expect(await outcomeOf(checks, "_network_check")).toMatch(/Network connectivity failed: .*ECONNREFUSED/);
  });

  it("knobs have the defaults of spec platform §1.4, and invalid values are warned of", () => {
    const lines: string[] = [];
    expect(readFitnessKnobs({ RUNPOD_MIN_MEMORY_GB: "lots", RUNPOD_SKIP_GPU_CHECK: "TRUE" }, logTo(lines))).toEqual({
      minMemoryGb: 4,
      minDiskPercent: 10,
      minCudaVersion: "11.8",
      networkTimeoutMs: 5000,
      gpuTestTimeoutMs: 30_000,
      gpuMaxErrorMessages: 10,
      gpuTestPath: undefined,
      areSystemChecksSkipped: false,
      isGpuCheckSkipped: true,
    });
    expect(lines).toEqual(["WARN   | RUNPOD_MIN_MEMORY_GB is not a number, using 4."]);
  });
});

describe("GPU checks", () => {
  const SMI = "| NVIDIA-SMI 570.1   Driver Version: 570.1   CUDA Version: 12.8 |";

  /** Programs of a fake machine: the key is file and arguments, the value what it prints, or undefined for exit code 9. */
  function machine(programs: Readonly<Record<string, string | null>>): RunProgram {
    return async (file, args) => {
      const output = programs[[file, ...args].join(" ")];
      if (output === undefined) return undefined;
      return { exitCode: output === null ? 9 : 0, output: output ?? "" };
    };
  }

  async function checksOn(
    programs: Readonly<Record<string, string | null>>,
    env: Readonly<Record<string, string>> = {},
  ) {
    const log = logTo([]);
    return gpuChecks(readFitnessKnobs(env, log), log, machine(programs));
  }

  it("are none without a GPU, and follow the switches", async () => {
    expect(await checksOn({})).toEqual([]);
    const programs = { "nvidia-smi": SMI };
    expect((await checksOn(programs)).map((check) => check.name)).toEqual(["_gpu_health_check", "_cuda_version_check"]);
    expect((await checksOn(programs, { RUNPOD_SKIP_GPU_CHECK: "true" })).map((check) => check.name)).toEqual([
      "_cuda_version_check",
    ]);
    expect((await checksOn(programs, { RUNPOD_SKIP_AUTO_SYSTEM_CHECKS: "true" })).map((check) => check.name)).toEqual([
      "_gpu_health_check",
    ]);
  });

  it.each([
    ["passes with a listed GPU", { "nvidia-smi --list-gpus": "GPU 0: NVIDIA L4\n" }, "passed"],
    ["fails with an empty list", { "nvidia-smi --list-gpus": "\n" }, "Error: GPU health check failed"],
    ["fails when the list fails", { "nvidia-smi --list-gpus": null }, "Error: GPU health check failed"],
  ])("health %s", async (_name, programs, expected) => {
    const checks = await checksOn({ "nvidia-smi": SMI, ...programs });
    expect(await outcomeOf(checks, "_gpu_health_check")).toContain(expected);
  });

  it("the native test program decides, and nvidia-smi may outvote it", async () => {
    const env = { RUNPOD_BINARY_GPU_TEST_PATH: "/gpu_test" };
    const good = "Found 1 GPUs:\nGPU 0 memory allocation test passed.";
    expect(await outcomeOf(await checksOn({ "nvidia-smi": SMI, "/gpu_test": good }, env), "_gpu_health_check")).toBe(
      "passed",
    );
    const bad = { "nvidia-smi": SMI, "/gpu_test": "Found 1 GPUs:\nFailed to allocate", "nvidia-smi --list-gpus": "" };
    expect(await outcomeOf(await checksOn(bad, env), "_gpu_health_check")).toContain("GPU health check failed");
  });

  it("reads the output of the native test program", () => {
    expect(
      problemsInGpuTest("Found 2 GPUs:\nGPU 0 memory allocation test passed.\nGPU 1 memory allocation test passed."),
    ).toEqual([]);
    expect(problemsInGpuTest("Found 2 GPUs:\nGPU 0 memory allocation test passed.")).toEqual(["1 of 2 GPUs passed"]);
    expect(problemsInGpuTest("cannot open device")).toEqual(["cannot open device"]);
    expect(problemsInGpuTest("")).toEqual(["0 of ? GPUs passed"]);
  });

  it.each([
    [
      "nvcc first",
      { "nvcc --version": "Cuda compilation tools, release 11.2, V11.2" },
      {},
      "CUDA version 11.2 is too old, 11.8 required",
    ],
    ["the driver otherwise", {}, { RUNPOD_MIN_CUDA_VERSION: "13.0" }, "CUDA version 12.8 is too old, 13.0 required"],
    ["a newer one", {}, { RUNPOD_MIN_CUDA_VERSION: "12.8" }, "passed"],
    ["an unknown one", { "nvidia-smi": "NVIDIA-SMI without a version" }, {}, "passed"],
  ])("the CUDA version is taken from %s", async (_name, programs: Readonly<Record<string, string>>, env, expected) => {
    expect(await outcomeOf(await checksOn({ "nvidia-smi": SMI, ...programs }, env), "_cuda_version_check")).toContain(
      expected,
    );
  });
});

describe("modelFilesCheck", () => {
  it("passes only for files that are there, of the right size and content", async () => {
    const folder = await mkdtemp(join(tmpdir(), "model-files-"));
    onTestFinished(() => rm(folder, { recursive: true }));
    const path = join(folder, "model.bin");
    await writeFile(path, "weights");
    const sha256 = createHash("sha256").update("weights").digest("hex");
    const outcome = (file: Parameters<typeof modelFilesCheck>[0][number]) =>
      outcomeOf([modelFilesCheck([file])], "model_files");
    expect(await outcome({ path, sizeBytes: 7, sha256: sha256.toUpperCase() })).toBe("passed");
    expect(await outcome({ path: join(folder, "none") })).toContain("is missing");
    expect(await outcome({ path: folder })).toContain("is missing");
    expect(await outcome({ path, sizeBytes: 8 })).toContain("wrong size (got 7 bytes, limit 8)");
    expect(await outcome({ path, sha256: sha256.replace(/^./, "x") })).toContain("SHA-256 differs");
  });
});
