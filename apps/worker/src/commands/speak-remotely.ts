import { writeFile } from "node:fs/promises";
import { resolve } from "node:path";
import { ERRORS, HiggsError, isHiggsError, toHiggsError, type ErrorCode } from "@higgs-worker/base";
import { HiggsApiError, RunPodEndpoint, type JobInput, type JobOutput } from "@higgs-worker/client";
import type { Endpoint, RunpodClient } from "runpod-deploy";
import type { Config } from "../config/settings.ts";
import { openAccount, openDeployContext, withRunpodErrors } from "../deploy/account.ts";
import { sendHttp } from "../network/http-request.ts";
import { proxyFor } from "../network/proxy.ts";
import { readBody } from "../network/read-body.ts";
import { timeLimit } from "../network/time-limit.ts";
import { EXIT_OK, type CommandIo } from "../terminal/command-io.ts";
import { printJson } from "../terminal/print-json.ts";
import { jobFields, type SpeakArgs } from "./speak.ts";

const DOWNLOAD_TIMEOUT_MS = 10 * 60_000;
/** Hours of audio. */
const MAX_AUDIO_BYTES = 4 * 1024 ** 3;
const SUBJECT = "speak through the endpoint";

/** `higgs speak --endpoint`: one job of a deployed queue endpoint, its audio into a file or stdout. */
export async function runSpeakRemotely(
  args: SpeakArgs & { readonly endpoint: string },
  io: CommandIo,
): Promise<number> {
  if (args.out === "-" && args.isJson) {
    throw new HiggsError("INVALID_INPUT", "write both the audio and JSON to stdout", "use --out FILE with --json");
  }
  try {
    const { config } = await openDeployContext(io);
    const client = openAccount(config, io.signal);
    const endpoint = await withRunpodErrors(SUBJECT, () => queueEndpoint(client, args.endpoint));
    const input = { ...(await jobFields(args, io)), transcript: args.text } as JobInput;
    const output = await speak(endpoint, input, config, io.signal);
    const audio = await audioOf(output, config, io.signal);
    if (args.out === "-") await io.stdout.write(audio);
    else await writeFile(resolve(io.workingDirectory, args.out), audio);
    if (args.isJson) await printJson(io, { output: { ...output, audio_base64: null }, error: null });
    else await io.stderr.write(`${args.out === "-" ? "stdout" : args.out}: ${output.duration_seconds.toFixed(2)} s\n`);
    return EXIT_OK;
  } catch (error) {
    if (args.isJson && args.out !== "-") await printJson(io, { output: null, error: toHiggsError(error).toString() });
    throw error;
  }
}

/** Found by id, else by name. */
async function queueEndpoint(client: RunpodClient, nameOrId: string): Promise<Endpoint> {
  const all = await client.endpoints.list();
  const byId = all.filter((endpoint) => endpoint.id === nameOrId);
  const found = byId.length > 0 ? byId : all.filter(({ name }) => name === nameOrId || name === `${nameOrId} -fb`);
  const [endpoint] = found;
  if (endpoint === undefined) throw refused(`the account has none with this name or id (got ${nameOrId})`);
  if (found.length > 1)
    throw refused(`${found.length} have this name: say which by its id (${found.map(({ id }) => id).join(", ")})`);
  if (endpoint.type === "LOAD_BALANCER") {
    throw refused(
      `it is behind a load balancer: use its own routes at ${endpoint.requestUrls?.["base"] ?? "its address"}`,
    );
  }
  return endpoint;
}

async function speak(
  { id, requestUrls }: Endpoint,
  input: JobInput,
  config: Config,
  signal: AbortSignal,
): Promise<JobOutput> {
  const suffix = `/${id}/run`;
  const run = requestUrls?.["run"];
  const baseUrl = run?.endsWith(suffix) === true ? run.slice(0, -suffix.length) : undefined;
  const endpoint = new RunPodEndpoint({ endpointId: id, baseUrl, apiKey: config.runpodApiKey ?? "" });
  try {
    // Not aborted on its way: a job whose id is unknown cannot be cancelled, and costs.
    const { id: jobId } = await endpoint.run(input);
    return await endpoint.result(jobId, { signal });
  } catch (error) {
    if (signal.aborted) throw new HiggsError("CANCELLED", SUBJECT, "the job was cancelled", { cause: error });
    if (error instanceof HiggsApiError) throw jobError(error);
    throw error;
  }
}

/** The worker's own error, with its code where this version knows it. */
function jobError(error: HiggsApiError): HiggsError {
  const { code, status, message } = error;
  const known = code !== null && Object.hasOwn(ERRORS, code) ? (code as ErrorCode) : null;
  const fallback =
    status === 401 || status === 403 ? "RUNPOD_DENIED" : error.isRetryable ? "RUNPOD_UNAVAILABLE" : "RUNPOD_REFUSED";
  return new HiggsError(known ?? fallback, SUBJECT, message, { cause: error });
}

/** In the output, or where the worker has stored it. */
async function audioOf(
  { audio_base64: base64, download_url: address, audio_url: place }: JobOutput,
  config: Config,
  signal: AbortSignal,
): Promise<Uint8Array> {
  if (base64 !== null) return Buffer.from(base64, "base64");
  if (address === null)
    throw refused(`the worker stored the audio where it has no public address: ${place ?? "unknown"}`);
  const url = new URL(address);
  try {
    const limit = timeLimit(DOWNLOAD_TIMEOUT_MS, signal);
    const answer = await sendHttp({
      method: "GET",
      url,
      proxy: proxyFor(url, config),
      redirect: "follow",
      signal: limit,
    });
    const { bytes } = await readBody(answer.body, { maxBytes: MAX_AUDIO_BYTES });
    if (answer.status !== 200) throw refused(`its store answered ${answer.status} for the audio`);
    return bytes;
  } catch (error) {
    if (isHiggsError(error)) throw error;
    throw new HiggsError("RUNPOD_UNAVAILABLE", SUBJECT, "the audio was made and stored, but cannot be downloaded", {
      cause: error,
    });
  }
}

function refused(reason: string): HiggsError {
  return new HiggsError("RUNPOD_REFUSED", SUBJECT, reason);
}
