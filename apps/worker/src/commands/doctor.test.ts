import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { fakeIo } from "../testing/fake-io.ts";
import { startS3Stub } from "../testing/s3-stub.ts";
import { scratchDir } from "../testing/scratch.ts";
import { describeHugePages } from "../doctor/checks.ts";
import { describePlan, judgeVersion } from "../doctor/device-checks.ts";
import { runDoctor } from "./doctor.ts";

interface Line {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
  readonly fix: string | null;
}

async function diagnose(env: Record<string, string>, settings: Record<string, string> = {}) {
  const io = fakeIo({ env: { HIGGS_CACHE_DIR: join(scratchDir(), "cache"), HIGGS_VOLUME_DIR: "/nowhere", ...env } });
  const code = await runDoctor({ isJson: true, settings }, io);
  const lines = JSON.parse(io.out()) as Line[];
  return { code, byName: (name: string) => lines.find((line) => line.name === name), lines };
}

describe("higgs doctor", () => {
  it("is content with a machine on which the demo runs", async () => {
    const { code, byName, lines } = await diagnose({});
    expect(code).toBe(0);
    expect(lines.map(({ name }) => name)).toEqual([
      "node",
      "driver",
      "library",
      "device",
      "volume",
      "model",
      "memory",
      "cache",
      "s3",
      "clock",
    ]);
    expect(byName("library")).toMatchObject({ status: "ok", detail: expect.stringMatching(/^ggml 0\./) });
    expect(byName("library")?.detail ?? "").toMatch(
      process.platform === "linux" ? /; CPU backend \/.*ggml-cpu-/ : /ggml/,
    );
    expect(byName("device")?.detail).toContain("*CPU");
    expect(byName("model")).toMatchObject({ status: "warning", fix: expect.stringContaining("HIGGS_MODEL_PATH") });
    expect(byName("volume")?.status).toBe("skipped");
    expect(byName("memory")?.detail).toMatch(/ free of .+; weights on (huge|small) pages/);
  });

  it("says whether weights get huge pages", () => {
    expect(describeHugePages("madvise")).toBe("weights on huge pages (transparent_hugepage: madvise)");
    expect(describeHugePages("always")).toContain("on huge pages");
    expect(describeHugePages("never")).toContain("on small pages (transparent_hugepage: never;");
    expect(describeHugePages(null)).toContain("on small pages, as this system has no setting");
  });

  it("writes to the store and reads its clock", async () => {
    const stub = await startS3Stub();
    const { code, byName } = await diagnose(stub.env);
    expect(code).toBe(0);
    expect(byName("s3")).toMatchObject({ status: "ok", detail: expect.stringContaining("s3://audio/") });
    expect(byName("clock")?.status).toBe("ok");
    expect(stub.objects.size).toBe(1);
  });

  it("reads what it wrote through its download_url, and says when clients cannot", async () => {
    const stub = await startS3Stub();
    const { byName } = await diagnose(stub.env);
    expect(byName("s3")).toMatchObject({ detail: expect.stringContaining("read it back through its download_url") });
    const stopped = await startS3Stub();
    await stopped.stop();
    const internal = await diagnose({ ...stub.env, S3_PUBLIC_URL: stopped.url });
    expect(internal.byName("s3")).toMatchObject({
      status: "warning",
      detail: expect.stringContaining("its download_url does not work: the connection failed, ECONNREFUSED"),
      fix: expect.stringContaining("S3_PUBLIC_URL"),
    });
  });

  it.each([
    ["a store that refuses", { AWS_SECRET_ACCESS_KEY: "wrong" }, "s3", "the secret key does not belong"],
    ["half a configuration", { AWS_ACCESS_KEY_ID: "" }, "s3", "AWS_ACCESS_KEY_ID not set"],
    ["a model that is not there", { HIGGS_MODEL_PATH: "/wrong" }, "model", "names a folder without config.json"],
    [
      "a cache folder that cannot be made",
      { HIGGS_CACHE_DIR: "/proc/none/cache" },
      "cache",
      "VOLUME_UNAVAILABLE: Cannot use the cache folder: the folder is gone or cannot be made (got /proc/none/cache)",
    ],
    ["a volume that is not a folder", { HIGGS_VOLUME_DIR: "/proc/version" }, "volume", "it is not a folder"],
    [
      "a device that is not there",
      { HIGGS_DEVICE: "metal" },
      "device",
      "Cannot use device metal: no library for metal",
    ],
    ["a library that is not there", { HIGGS_GGML_DIR: "/wrong" }, "library", "no ggml library"],
    ["a file in place of the library", { HIGGS_GGML_DIR: "/proc/version" }, "library", "it is not a folder"],
  ])("finds %s", async (_name, env, name, expected) => {
    const stub = await startS3Stub();
    const { code, byName } = await diagnose({ ...stub.env, ...env });
    expect(code).toBe(1);
    expect(byName(name)).toMatchObject({
      status: "failed",
      detail: expect.stringContaining(expected),
      fix: expect.any(String),
    });
  });

  it("says of each library whether it fits, why, and where compiled kernels are kept", () => {
    const plan = [
      { library: "cuda12", fit: "compiles", reason: "driver 570.86 compiles its PTX 8.0 for H100" },
      { library: "vulkan", fit: "unknown", reason: "it needs Vulkan 1.3" },
      { library: "cuda13", fit: "unfit", reason: "driver 570.86 is too old (needs 580)" },
    ] as const;
    expect(describePlan(plan, { cuda: "/cache/cuda", vulkan: "/cache/vulkan" })).toEqual([
      "cuda12 fits: driver 570.86 compiles its PTX 8.0 for H100; kernels are compiled at the first start and kept in /cache/cuda",
      "vulkan to be tried: it needs Vulkan 1.3; kernels are compiled at the first start and kept in /cache/vulkan",
      "cuda13 does not fit: driver 570.86 is too old (needs 580)",
    ]);
  });

  it("tells a worker in production that it needs to be told to use the CPU", async () => {
    expect((await diagnose({})).byName("device")).toMatchObject({
      status: "warning",
      fix: expect.stringContaining("HIGGS_DEVICE=cpu"),
    });
    expect((await diagnose({ HIGGS_DEVICE: "cpu" })).byName("device")?.status).toBe("ok");
  });

  it("warns of a library of another version than the tested one", () => {
    expect(judgeVersion("0.25.7", "/lib")).toEqual({ status: "ok", detail: "ggml 0.25.7 in /lib", fix: null });
    for (const version of ["0.23.0", "0.250.1", "1.0.0"]) {
      expect(judgeVersion(version, "/lib")).toMatchObject({
        status: "warning",
        detail: expect.stringContaining(`ggml ${version} in /lib, but this build is tested with`),
        fix: expect.stringContaining("verify-golden"),
      });
    }
  });

  it("prints a line a check for people, with what to do below", async () => {
    const io = fakeIo({ env: { HIGGS_CACHE_DIR: scratchDir(), HIGGS_MODEL_PATH: "/wrong" } });
    expect(await runDoctor({ isJson: false, settings: {} }, io)).toBe(1);
    expect(io.out()).toMatch(/^failed +model +MODEL_NOT_FOUND: .*\n +-> Download the checkpoint/m);
    expect(io.out()).toMatch(/^ok +node +v\d+/m);
  });
});
