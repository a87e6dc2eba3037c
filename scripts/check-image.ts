/**
 * Builds the three images, measures them, and runs them: `npm run check:image`. Needs root, and Debian's buildah and podman,
 * which it installs where it can; skips with a message otherwise. `--save` records what was measured in docker/measured.json, from
 * which docs/IMAGE.md is made; `--keep` keeps the layers for the next run.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { startEmulator } from "runpod-worker/emulator";
import { type Bases, prepareBases } from "./image/bases.ts";
import { ContainerHost, hostProblem } from "./image/container-host.ts";
import { fetchCuobjdump } from "./image/cuda-code.ts";
import { checkFiles } from "./image/file-checks.ts";
import { checkLoader, checkVulkanDevice } from "./image/library-checks.ts";
import { type Measured, type MeasuredImage, type Target, type TargetName, TARGETS } from "./image/measured.ts";
import { mustRun } from "./image/programs.ts";
import { Report } from "./image/report.ts";
import { checkLife, checkSpeech } from "./image/speech-checks.ts";
import { makeBucket, type Store } from "./s3-servers/store.ts";
import { install, type ServerKey, SERVERS, start } from "./s3-servers/servers.ts";

const root = join(import.meta.dirname, "..");
const cache = join(root, ".cache", "image");
const measuredFile = join(root, "docker", "measured.json");
const KEY: ServerKey = { accessKeyId: "AKIDHIGGS", secretAccessKey: "secret", region: "us-east-1" };
const isKept = process.argv.includes("--keep");

const problem = await hostProblem();
if (problem !== null) {
  console.log(`SKIPPED: the images were neither built nor run: ${problem}\n0 passed, 0 failed, 1 skipped`);
  process.exit(0);
}

const report = new Report();
mkdirSync(cache, { recursive: true });
const host = new ContainerHost(join(cache, "storage"));
try {
  await checkImages();
} finally {
  if (!isKept) await host.clear();
}
console.log(`${report.passed} passed, ${report.failed} failed`);
process.exit(report.failed === 0 ? 0 : 1);

async function checkImages(): Promise<void> {
  const bases = await prepareBases(host, cache);
  console.log(`the bases come from ${bases.origin === "registry" ? "the registry" : "Debian's tools"}`);
  const cuobjdump = await fetchCuobjdump(root, join(cache, "cuobjdump"));
  const images: MeasuredImage[] = [];
  for (const target of TARGETS) {
    const isBuilt = await report.check(`${target.name}: builds`, () => build(target, bases));
    if (!isBuilt) continue;
    images.push(await checkFiles(host, imageOf(target), target, report, cuobjdump));
    await checkLoader(host, imageOf(target), target, report);
  }
  if (images.length < TARGETS.length) return;
  const withMesa = "localhost/higgs-check/worker:vulkan-mesa";
  const isBuilt = await report.check("vulkan: builds with Mesa's drivers", () => buildWithMesa(bases, withMesa));
  if (isBuilt) await checkVulkanDevice(host, withMesa, report);
  const firstAudioMs = await runImages();
  const measured = {
    base: bases.origin,
    images,
    firstAudioMs: Math.round(firstAudioMs / 100) * 100,
    machine: machineName(),
  };
  if (process.argv.includes("--save")) writeFileSync(measuredFile, `${JSON.stringify(measured, null, 2)}\n`);
  await report.check("docs/IMAGE.md says what was measured", () => compareWithSaved(measured));
}

function imageOf({ name }: Target): string {
  return `localhost/higgs-check/worker:${name}`;
}

function build(target: Target, bases: Bases): Promise<string> {
  return buildImage(target.name, imageOf(target), bases, {});
}

function buildWithMesa(bases: Bases, image: string): Promise<string> {
  return buildImage("vulkan", image, bases, { VULKAN_DRIVERS: "mesa-vulkan-drivers" });
}

async function buildImage(
  target: TargetName,
  image: string,
  bases: Bases,
  more: Readonly<Record<string, string>>,
): Promise<string> {
  const beginMs = performance.now();
  const { version } = JSON.parse(readFileSync(join(root, "apps/worker/package.json"), "utf8")) as { version: string };
  const revision = (await mustRun("git", ["-C", root, "rev-parse", "HEAD"])).trim();
  const buildArgs = {
    NODE_IMAGE: bases.nodeImage,
    BASE_IMAGE: bases.baseImage,
    VERSION: version,
    REVISION: revision,
    ...more,
    ...(process.env["PIP_INDEX_URL"] === undefined ? {} : { PIP_INDEX_URL: process.env["PIP_INDEX_URL"] }),
  };
  const args = [
    // Docker's form, because OCI's has no health check.
    ["build", "--isolation", "chroot", "--network", "host", "--format", "docker", "--layers"],
    Object.entries(buildArgs).flatMap(([name, value]) => ["--build-arg", `${name}=${value}`]),
    ["--target", target, "--tag", image, root],
  ];
  await host.buildah(args.flat(), { logFile: join(cache, `build-${image.split(":").at(-1)}.log`) });
  return `${((performance.now() - beginMs) / 1000).toFixed(0)} s`;
}

/** Milliseconds to the first audio of the default image. */
async function runImages(): Promise<number> {
  const kind = SERVERS.find(({ name }) => name === "versitygw");
  if (kind === undefined) throw new Error("Cannot run the images: the S3 server is not in the list");
  const installed = join(root, ".cache", "s3-servers", kind.name);
  const cannot = await install(kind, installed);
  if (cannot !== null) throw new Error(`Cannot run the images: there is no S3 server, because ${cannot}`);
  const data = mkdtempSync(join(tmpdir(), "higgs-s3-"));
  const server = await start(kind, { installed, data, key: KEY });
  try {
    const store: Store = { url: server.url, key: KEY, bucket: "audio", checksKeys: true };
    await makeBucket(store);
    const checkpoint = join(root, "demo-checkpoint", "checkpoint");
    const at = { host, store, startEmulator, report, checkpoint };
    const [cuda12, cuda13, vulkan] = TARGETS.map(imageOf) as [string, string, string];
    const firstAudioMs = await checkSpeech(at, { image: cuda12, isReadOnly: true }, "cuda12, read-only, as root");
    await checkSpeech(at, { image: cuda13, isReadOnly: true, user: "1000:1000" }, "cuda13, read-only, as another user");
    await checkSpeech(at, { image: vulkan, user: "65534:65534" }, "vulkan, as nobody");
    await checkLife(at, cuda12);
    return firstAudioMs;
  } finally {
    server.stop();
    rmSync(data, { recursive: true, force: true });
  }
}

/** The documents are made from the file: it must not differ from the images of today by more than other bases do. */
function compareWithSaved(measured: Measured): void {
  const saved = JSON.parse(readFileSync(measuredFile, "utf8")) as Measured;
  const facts = ({ images }: Measured) =>
    JSON.stringify(images.map(({ target, gpuLibrary, runtime }) => ({ target, gpuLibrary, runtime })));
  const isSame = facts(saved) === facts(measured);
  if (!isSame) throw new Error("the libraries are not those of docker/measured.json: npm run check:image -- --save");
  for (const { target, bytes } of measured.images) {
    const before = saved.images.find((image) => image.target === target)?.bytes ?? 0;
    if (Math.abs(bytes - before) > 0.03 * before) {
      throw new Error(
        `${target} has ${bytes} bytes, and docker/measured.json says ${before}: npm run check:image -- --save`,
      );
    }
  }
}

function machineName(): string {
  const [first] = cpus();
  return `${cpus().length} × ${first?.model.trim() ?? "unknown processor"}`;
}
