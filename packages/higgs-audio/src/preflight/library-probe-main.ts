/**
 * The probing process: loads one build of ggml, counts its devices, multiplies on the first, and says what came of it.
 * Whatever aborts, hangs or corrupts memory does it here. Only `probeLibrary` starts it.
 */
import { Backend, explainMissingBackend, loadGgml, proveDevice } from "@higgs-worker/ggml";
import type { ProbeMessage, ProbeOutcome, ProbeRequest } from "./probe-messages.ts";

/** The last complaints of ggml. */
const complaints: string[] = [];
const MAX_COMPLAINTS = 3;

// A device's library may have threads that would keep the process alive.
process.on("disconnect", () => process.exit(0));
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => undefined);
process.once("message", (message) => {
  const outcome = attempt(message as ProbeRequest);
  send({ type: "outcome", outcome });
});
send({ type: "ready" });

function attempt({ flavor, ggmlDirectory, backendNames }: ProbeRequest): ProbeOutcome {
  try {
    const ggml = loadGgml({
      flavor,
      directory: ggmlDirectory,
      log: (level, message) => {
        if (level !== "error" && level !== "warn") return;
        complaints.push(message);
        if (complaints.length > MAX_COMPLAINTS) complaints.shift();
      },
    });
    const all = ggml.devices();
    const devices = all.filter(({ backendName }) => backendNames.includes(backendName));
    const [first] = devices;
    if (first === undefined) {
      explainMissingBackend(ggml);
      return unusable(`it has no ${backendNames[0] ?? ""} device, only ${all.map(({ name }) => name).join(", ")}`);
    }
    using backend = Backend.open(ggml, ({ name }) => name === first.name, first.name);
    proveDevice(backend);
    return { isUsable: true, device: first, deviceCount: devices.length, version: ggml.version };
  } catch (error) {
    return unusable(error instanceof Error ? error.message : String(error));
  }
}

function unusable(reason: string): ProbeOutcome {
  return { isUsable: false, reason: [reason, ...complaints].join("; ") };
}

function send(message: ProbeMessage): void {
  process.send?.(message, () => message.type === "outcome" && process.disconnect());
}
