import { HiggsError, isHiggsError } from "@higgs-worker/base";
import { DeploymentError, RunpodApiError, RunpodClient, type Transport } from "runpod-deploy";
import { type Environment, loadConfig, type SettingFlags } from "../config/load.ts";
import type { Config } from "../config/settings.ts";
import { sendHttp } from "../network/http-request.ts";
import { proxyFor } from "../network/proxy.ts";
import { withDotEnv } from "./dot-env.ts";

/** What the commands that talk to RunPod need of the process. */
export interface AccountSurface {
  readonly env: Environment;
  readonly workingDirectory: string;
  readonly signal: AbortSignal;
}

/** Settings of the process and of `.env`. */
export interface DeployContext {
  readonly config: Config;
  /** The environment, `.env` included. */
  readonly env: Environment;
}

/** @throws {HiggsError} INVALID_INPUT for invalid settings or an unreadable `.env` */
export async function openDeployContext(
  { env, workingDirectory }: AccountSurface,
  flags: SettingFlags = {},
): Promise<DeployContext> {
  const all = await withDotEnv(env, workingDirectory);
  return { config: loadConfig(all, flags).config, env: all };
}

/**
 * A client of the account whose key is set.
 *
 * @throws {HiggsError} RUNPOD_NOT_CONFIGURED without a key, or for one that no header can hold
 */
export function openAccount(config: Config, signal: AbortSignal): RunpodClient {
  const { runpodApiKey: apiKey } = config;
  if (apiKey === null) {
    throw new HiggsError("RUNPOD_NOT_CONFIGURED", "talk to RunPod", "RUNPOD_API_KEY is not set, also not in .env");
  }
  if (!/^[\x21-\x7e]+$/.test(apiKey)) {
    throw new HiggsError(
      "RUNPOD_NOT_CONFIGURED",
      "talk to RunPod",
      "RUNPOD_API_KEY has characters that a key cannot have",
    );
  }
  const transport: Transport = ({ method, url, headers, body, signal: limit }) =>
    sendHttp({
      method,
      url,
      headers,
      ...(body !== undefined && { body: Buffer.from(body) }),
      proxy: proxyFor(url, config),
      // The key must not go to where a redirect points.
      redirect: "manual",
      signal: limit,
    });
  const baseUrl = config.runpodApiUrl;
  return new RunpodClient({ apiKey, transport, signal, ...(baseUrl !== null && { baseUrl }) });
}

/**
 * Runs what talks to RunPod, and gives its failures the codes of this program.
 *
 * @throws {HiggsError} RUNPOD_DENIED for 401 and 403, RUNPOD_REFUSED for other refusals, RUNPOD_UNAVAILABLE when RunPod fails
 * or is not reached, INVALID_INPUT for a deployment that makes no sense
 */
export async function withRunpodErrors<T>(subject: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (isHiggsError(error)) throw error;
    if (error instanceof DeploymentError)
      throw new HiggsError("INVALID_INPUT", subject, error.message, { cause: error });
    if (error instanceof RunpodApiError) throw runpodError(subject, error);
    throw error;
  }
}

function runpodError(subject: string, error: RunpodApiError): HiggsError {
  const { status, detail, problems } = error;
  const words = [detail, ...problems].filter((text) => text !== "").join("; ");
  const said = words === "" ? "" : `: ${words}`;
  const answer = status === null ? `there was no usable answer${said}` : `RunPod answered ${status}${said}`;
  return new HiggsError(codeOf(error), subject, answer, { cause: error });
}

function codeOf({ failure }: RunpodApiError): "RUNPOD_DENIED" | "RUNPOD_REFUSED" | "RUNPOD_UNAVAILABLE" {
  if (failure === "unauthorized" || failure === "forbidden") return "RUNPOD_DENIED";
  return failure === "not-found" || failure === "conflict" || failure === "refused"
    ? "RUNPOD_REFUSED"
    : "RUNPOD_UNAVAILABLE";
}
