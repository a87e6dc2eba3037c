/**
 * Checks the emulator and the local API with RunPod's official Python SDK: its worker against the emulator, in all
 * presets and with faults, and its client against the public API. Makes a virtual environment with the SDK; where
 * Python or the package index is missing it says so and ends with 0, or with 1 given `--require`.
 */
import { argv, exit } from "node:process";
import { preparePython, SDK_VERSION } from "../python-sdk/python-environment.ts";
import { Checks } from "./checks.ts";
import { checkClient } from "./client-checks.ts";
import { checkOtherModes } from "./mode-checks.ts";
import { checkProductionWorker } from "./worker-checks.ts";

const python = await preparePython();
if (!python.isAvailable) {
  console.error("==================================================================");
  console.error(`SKIPPED: no check with the official Python SDK was run, since`);
  console.error(python.reason);
  console.error("==================================================================");
  exit(argv.includes("--require") ? 1 : 0);
}

console.log(`Official Python SDK ${SDK_VERSION} on Python ${python.version}`);
const checks = new Checks(python.python);
await checkProductionWorker(checks);
await checkOtherModes(checks);
await checkClient(checks);
const failed = checks.results.filter(({ failure }) => failure !== undefined).length;
console.log(`${checks.results.length - failed} passed, ${failed} failed`);
exit(failed === 0 ? 0 : 1);
