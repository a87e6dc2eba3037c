import type { Graph, Tensor } from "@higgs-worker/ggml";
import type { CodecWeights } from "./codec-weights.ts";
import { type Conv1d, conv1d, defineConv1d } from "./conv1d.ts";
import { type Snake, defineSnake, snake } from "./snake.ts";

/** snake, dilated convolution, snake, 1×1 convolution, plus the input; the length stays (spec model §9.4). */
export interface ResidualUnit {
  readonly snake1: Snake;
  readonly conv1: Conv1d;
  readonly snake2: Snake;
  readonly conv2: Conv1d;
}

/** Dilations of the three units of a block; no tensor and no field of a config tells them. */
const DILATIONS = [1, 3, 9] as const;

/** Defines the three residual units `name.res_unit1` … `res_unit3` of a DAC block. */
export function defineResidualUnits(weights: CodecWeights, name: string): ResidualUnit[] {
  return DILATIONS.map((dilation, index) => {
    const unit = `${name}.res_unit${index + 1}`;
    return {
      snake1: defineSnake(weights, `${unit}.snake1`),
      conv1: defineConv1d(weights, `${unit}.conv1`, { dilation }),
      snake2: defineSnake(weights, `${unit}.snake2`),
      conv2: defineConv1d(weights, `${unit}.conv2`),
    };
  });
}

/** [time, channels] → the same */
export function residualUnit(graph: Graph, unit: ResidualUnit, x: Tensor): Tensor {
  const inner = conv1d(graph, unit.conv1, snake(graph, unit.snake1, x));
  return graph.add(x, conv1d(graph, unit.conv2, snake(graph, unit.snake2, inner)));
}
