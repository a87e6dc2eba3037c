import { arch, release, type } from "node:os";
import { versions } from "node:process";
import { PACKAGE_VERSION } from "../version.ts";

/** Honest User-Agent of this worker; `integration` names a framework on top of it (spec platform §3.1). */
export function userAgent(integration: string | undefined): string {
  const base = `RunPod-TS-Worker/${PACKAGE_VERSION} (${type()} ${release()}; ${arch()}) Language/Node ${versions.node}`;
  return integration === undefined || integration === "" ? base : `${base} Integration/${integration}`;
}
