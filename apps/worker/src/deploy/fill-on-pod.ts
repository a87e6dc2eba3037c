import { HiggsError } from "@higgs-worker/base";
import { createOnce, RunpodApiError, type Pod, type RunpodClient, type Volume } from "runpod-deploy";

/** The arguments of the image's entry point (`higgs`) on the pod. */
const POD_ARGS = "volume fill-here";

/** What `higgs volume fill-here` writes last. RunPod starts a container again when it ends, so it waits to be deleted. */
export const FILL_DONE = "higgs volume fill: done";
export const FILL_FAILED = "higgs volume fill: failed";

/** Where the volume is on the pod; pods have no fixed place, and workers have this one. */
const MOUNT_PATH = "/runpod-volume";

/** CPU flavors that may do it, the cheapest first; not every data center has each. */
const CPU_FLAVORS = ["cpu3c", "cpu5c", "cpu3g", "cpu5g"];
const VCPUS = 2;
const DISK_GB = 10;
const POLL_MS = 5000;

export interface PodFill {
  readonly client: RunpodClient;
  /** Sends requests also after an interruption, to leave nothing that costs money. */
  readonly cleanUp: RunpodClient;
  readonly volume: Volume;
  /** The image of the worker, which has the command. */
  readonly image: string;
  /** Id of a registry credential; null for public images. */
  readonly registry: string | null;
  /** Token of Hugging Face; null without one. */
  readonly hubToken: string | null;
  readonly onLine: (line: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/**
 * Downloads the model onto a volume on a small pod in its data center, which is deleted in any case. A pod that an
 * interrupted run has left behind is taken over.
 *
 * @throws {HiggsError} MODEL_NOT_FOUND when the download fails there; its log says why
 * @throws {RunpodApiError} when a request fails
 */
export async function fillOnPod(fill: PodFill): Promise<void> {
  const pod = await startPod(fill);
  try {
    await fill.onLine(`pod ${pod.id} downloads the model in ${fill.volume.dataCenter}`);
    await watch(fill, pod);
  } finally {
    await fill.cleanUp.pods.remove(pod.id).catch(async (error: unknown) => {
      await fill.onLine(`The pod ${pod.id} could not be deleted and costs money: delete it in RunPod's console.`);
      throw error;
    });
  }
}

async function startPod({ client, volume, image, registry, hubToken }: PodFill): Promise<Pod> {
  const name = `higgs-fill-${volume.id}`;
  const find = async () => (await client.pods.list()).find((pod) => pod.name === name) ?? null;
  const there = await find();
  if (there !== null) return there;
  const body = {
    name,
    image,
    args: POD_ARGS,
    disk: DISK_GB,
    dataCenterIds: [volume.dataCenter],
    mounts: { network: [{ volumeId: volume.id, path: MOUNT_PATH }] },
    env: { HIGGS_VOLUME_DIR: MOUNT_PATH, ...(hubToken !== null && { HF_TOKEN: hubToken }) },
    ...(registry !== null && { registry }),
  };
  for (const [index, id] of CPU_FLAVORS.entries()) {
    const create = () => client.pods.create({ ...body, cpu: { id, vcpuCount: VCPUS } });
    try {
      return await createOnce({ find, create, sleep: (ms) => client.sleep(ms) });
    } catch (error) {
      // No machine of this kind is free, or the data center has none.
      const isOther = error instanceof RunpodApiError && error.failure === "refused" && error.status === 400;
      if (!isOther || index === CPU_FLAVORS.length - 1) throw error;
    }
  }
  throw new Error("there are no CPU flavors");
}

/** Reads the pod's log until the last line of the command, through as many streams as it takes. */
async function watch(fill: PodFill, pod: Pod): Promise<void> {
  const { client, signal, onLine } = fill;
  let lastEventId: string | undefined;
  for (;;) {
    try {
      const position = lastEventId === undefined ? { tail: 5000 } : { lastEventId };
      for await (const { id, line } of client.podLogs(pod.id, { ...position, source: "container", signal })) {
        lastEventId = id ?? lastEventId;
        if (line.startsWith(FILL_DONE)) return;
        if (line.startsWith(FILL_FAILED))
          throw failed(line.slice(FILL_FAILED.length).trim() || "the log above says why");
        await onLine(line);
      }
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof HiggsError) throw error;
      // A pod that is just starting has no log yet, and streams break.
    }
    const now = await client.pods.get(pod.id);
    if (now === null) throw failed("the pod is gone");
    if (now.status === "ERROR" || now.status === "EXITED" || now.status === "TERMINATED")
      throw failed(`the pod is ${now.status}`);
    await client.sleep(POLL_MS);
  }
}

function failed(reason: string): HiggsError {
  return new HiggsError("MODEL_NOT_FOUND", "fill the network volume", reason);
}
