/**
 * What a stream of windows keeps of the one before: the last rows of each convolution's input. A window then takes new frames only, and makes
 * the samples of the whole audio; nothing is computed twice. Only for layers that keep a row of channels for each moment (row-layers.ts).
 */
import type { Graph, Tensor } from "@higgs-worker/ggml";
import { channelsIn, type RowConv, spanOf } from "./row-weights.ts";

/** Whether the true ends of the audio lie in a window. */
export interface WindowPlace {
  readonly isFirst: boolean;
  readonly isLast: boolean;
}

/** Audio of one window. */
export const WHOLE: WindowPlace = { isFirst: true, isLast: true };

/** The input of a layer in one window, and zeros that belong around it. */
export interface ExtendedInput {
  /** [channels, time] */
  readonly rows: Tensor;
  readonly zerosBefore: number;
  readonly zerosAfter: number;
}

/** The input of a layer that is the whole audio. */
export function wholeInput({ padding }: Pick<RowConv, "padding">, rows: Tensor): ExtendedInput {
  return { rows, zerosBefore: padding, zerosAfter: padding };
}

/** Rows that an output sees beside the last one, at stride 1. */
function carriedRows(layer: RowConv): number {
  return spanOf(layer) - 1;
}

/** Values that are carried for these layers. */
export function carriedValues(layers: readonly RowConv[]): number {
  return layers.reduce((sum, layer) => sum + carriedRows(layer) * channelsIn(layer), 0);
}

/** Values of the largest input with what is carried before it; `layers` with the length of their inputs. */
export function carriedPlane(layers: readonly (readonly [RowConv, number, ...unknown[]])[]): number {
  return Math.max(...layers.map(([layer, time]) => (carriedRows(layer) + time) * channelsIn(layer)));
}

export interface RowCarryOptions {
  readonly place: WindowPlace;
  /** The values that the window before left, zeros for the first: an input of `carriedValues`. */
  readonly before: Tensor;
  /** Where this one leaves them: an output as large. */
  readonly after: Tensor;
  /** Of the size that `carriedPlane` tells. */
  readonly plane: Tensor;
}

/** The carried rows of one graph. Its layers have to ask in the same order in every window. */
export class RowCarry {
  readonly place: WindowPlace;
  readonly #graph: Graph;
  readonly #options: RowCarryOptions;
  /** Values of the layers that have asked. */
  #offset = 0;

  constructor(graph: Graph, options: RowCarryOptions) {
    this.place = options.place;
    this.#graph = graph;
    this.#options = options;
  }

  /**
   * The input of a layer with the rows of the window before, from which its next output follows. It lies in the plane until the
   * next layer asks.
   *
   * @param x new rows; null when there are none, in a last window that only ends what came before
   */
  extend(layer: RowConv, x: Tensor | null): ExtendedInput {
    const graph = this.#graph;
    const { before, after, plane, place } = this.#options;
    const channels = channelsIn(layer);
    const rows = carriedRows(layer);
    const time = x?.shape[1] ?? 0;
    const view = (tensor: Tensor, offset: number, count: number): Tensor =>
      graph.view(tensor, [channels, count], { byteOffset: offset * Float32Array.BYTES_PER_ELEMENT });
    // What it is made of may lie in the plane.
    if (x !== null) graph.require(x);
    graph.require(graph.copy(view(before, this.#offset, rows), view(plane, 0, rows)));
    if (x !== null) graph.require(graph.copy(x, view(plane, rows * channels, time)));
    graph.require(graph.copy(view(plane, time * channels, rows), view(after, this.#offset, rows)));
    this.#offset += rows * channels;
    // Outputs before the true start would be more than the zeros that the next layer has to see there.
    const skipped = place.isFirst ? rows - layer.padding : 0;
    return {
      rows: view(plane, skipped * channels, rows + time - skipped),
      zerosBefore: 0,
      zerosAfter: place.isLast ? layer.padding : 0,
    };
  }
}
