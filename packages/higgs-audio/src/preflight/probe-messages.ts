import type { Device, LibraryFlavor } from "@higgs-worker/ggml";

/** What the probing process is to try. */
export interface ProbeRequest {
  readonly flavor: LibraryFlavor;
  readonly ggmlDirectory?: string | undefined;
  /** ggml's names of the backend that must have a device. */
  readonly backendNames: readonly string[];
}

/** From the probing process; it ends after the second kind. */
export type ProbeMessage = { readonly type: "ready" } | { readonly type: "outcome"; readonly outcome: ProbeOutcome };

export type ProbeOutcome =
  | { readonly isUsable: true; readonly device: Device; readonly deviceCount: number; readonly version: string }
  | { readonly isUsable: false; readonly reason: string };
