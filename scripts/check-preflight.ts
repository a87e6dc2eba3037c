/**
 * The choice of the compute library on Mesa's software Vulkan device, with the program as users start it: what `higgs doctor`
 * says, what a job runs on, and what happens when the device or its library fails. Skipped where Mesa's driver cannot be
 * installed. `npm run check:preflight`
 */
import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, truncateSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const root = join(import.meta.dirname, "..");
const program = join(root, "apps", "worker", "bin", "higgs.js");
const JOB = JSON.stringify({
  input: { transcript: "The sun is warm.", max_new_tokens: 16, allow_truncated: true, seed: 1, delivery: "base64" },
});

const found = spawnSync(join(import.meta.dirname, "vulkan-library.sh"), { encoding: "utf8" });
if (found.status !== 0) {
  console.log(`SKIPPED: the choice of the library on Vulkan was not checked: ${found.stderr.trim()}`);
  console.log("0 passed, 0 failed, 1 skipped");
  process.exit(0);
}
const library = resolve(root, found.stdout.trim());
const scratch = mkdtempSync(join(tmpdir(), "higgs-preflight-"));
const cache = join(scratch, "cache");
/** Mesa's software device is hidden unless it is asked for. */
const WITH_DEVICE = { GGML_VK_VISIBLE_DEVICES: "0" };

interface Run {
  readonly status: number | null;
  readonly out: string;
  readonly err: string;
}

function higgs(args: readonly string[], env: Readonly<Record<string, string>>): Run {
  const { status, stdout, stderr } = spawnSync(process.execPath, [program, ...args], {
    encoding: "utf8",
    cwd: scratch,
    env: {
      ...process.env,
      HIGGS_VOLUME_DIR: "/nowhere",
      HIGGS_CACHE_DIR: cache,
      HIGGS_CONTEXT: "512",
      HIGGS_LOG_LEVEL: "info",
      ...env,
    },
  });
  return { status, out: stdout, err: stderr };
}

let passed = 0;
let failed = 0;

function check(name: string, isRight: boolean, run: Run): void {
  if (isRight) passed += 1;
  else failed += 1;
  console.log(`${isRight ? "passed" : "failed"} ${name}`);
  if (!isRight) console.log(`exit code ${run.status}\n${run.out}\n${run.err}`);
}

/** A copy of the build whose Vulkan library is cut off: loading it ends the process. */
function cutLibrary(): string {
  const folder = join(scratch, "cut");
  cpSync(library, folder, { recursive: true });
  truncateSync(join(folder, "libggml-vulkan.so"), 1_000_000);
  return folder;
}

try {
  const good = { ...WITH_DEVICE, HIGGS_GGML_DIR: library };
  const doctor = higgs(["doctor"], good);
  check(
    "doctor tries the Vulkan device and says where its kernels are kept",
    /^ok +device +\*Vulkan0 \(llvmpipe.*multiplies correctly/m.test(doctor.out) &&
      doctor.out.includes(`kept in ${join(cache, "vulkan")}`),
    doctor,
  );
  const spoken = higgs(["worker", "--test_input", JOB], good);
  check(
    "a job with HIGGS_DEVICE=auto runs on the Vulkan device",
    spoken.status === 0 && spoken.err.includes("vulkan works on llvmpipe"),
    spoken,
  );
  const hidden = higgs(["worker", "--test_input", JOB], { HIGGS_GGML_DIR: library });
  check(
    "a local job without a device runs on the CPU and says so",
    hidden.status === 0 && /no GPU can be used, so the CPU is: vulkan: it has no Vulkan device/.test(hidden.err),
    hidden,
  );
  const broken = cutLibrary();
  const survived = higgs(["worker", "--test_input", JOB], { ...WITH_DEVICE, HIGGS_GGML_DIR: broken });
  check(
    "a library that ends its process does not end the job's",
    survived.status === 0 && survived.err.includes("the process that tried it ended (got SIGBUS)"),
    survived,
  );
  const wanted = higgs(["worker", "--test_input", JOB], {
    ...WITH_DEVICE,
    HIGGS_GGML_DIR: broken,
    HIGGS_DEVICE: "vulkan",
  });
  check(
    "a device that was asked for is not replaced by another",
    wanted.status === 1 && wanted.out.includes("DEVICE_UNAVAILABLE"),
    wanted,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
