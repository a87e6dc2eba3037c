import type { Emulator } from "../emulator.ts";

/** Sends a worker's requests by hand. */
export class WireWorker {
  readonly #emulator: Emulator;
  readonly id: string;
  readonly #key: string;

  constructor(emulator: Emulator, id = "w1", key = "emulator-worker-key") {
    this.#emulator = emulator;
    this.id = id;
    this.#key = key;
  }

  request(path: string, init: RequestInit = {}): Promise<Response> {
    const headers = { authorization: this.#key, ...(init.headers as Record<string, string> | undefined) };
    return fetch(`${this.#emulator.url}/v2/${this.#emulator.endpointId}${path}`, { ...init, headers });
  }

  take(init: RequestInit = {}): Promise<Response> {
    return this.request(`/job-take/${this.id}?gpu=NVIDIA+L4&job_in_progress=0`, init);
  }

  takeBatch(size: number): Promise<Response> {
    return this.request(`/job-take-batch/${this.id}?gpu=NVIDIA+L4&batch_size=${size}&job_in_progress=0`);
  }

  async takeJob(): Promise<Record<string, unknown> & { readonly id: string }> {
    const response = await this.take();
    if (response.status !== 200) throw new Error(`no job: ${response.status}`);
    return (await response.json()) as Record<string, unknown> & { readonly id: string };
  }

  done(jobId: string, body: unknown): Promise<Response> {
    const text = typeof body === "string" ? body : JSON.stringify(body);
    return this.request(`/job-done/${this.id}/${jobId}?gpu=NVIDIA+L4&isStream=false`, {
      method: "POST",
      headers: { "content-type": "application/x-www-form-urlencoded", "x-request-id": jobId },
      body: text,
    });
  }

  stream(jobId: string, output: unknown): Promise<Response> {
    const body = JSON.stringify({ output });
    return this.request(`/job-stream/${this.id}/${jobId}?isStream=false`, { method: "POST", body });
  }

  stop(init: RequestInit = {}): Promise<Response> {
    return this.request(`/job-stop/${this.id}?gpu=NVIDIA+L4`, init);
  }

  ping(query = ""): Promise<Response> {
    return this.request(`/ping/${this.id}?gpu=NVIDIA+L4&runpod_version=1.12.0${query}`);
  }
}
