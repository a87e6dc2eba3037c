/** Kullback-Leibler divergence of the probabilities that `actual` logits stand for from those of `expected` ones, in nats. */
export function divergence(expected: ArrayLike<number>, actual: ArrayLike<number>): number {
  const [expectedTotal, actualTotal] = [logTotal(expected), logTotal(actual)];
  let sum = 0;
  for (let id = 0; id < expected.length; id++) {
    const logProbability = (expected[id] ?? 0) - expectedTotal;
    sum += Math.exp(logProbability) * (logProbability - ((actual[id] ?? 0) - actualTotal));
  }
  return sum;
}

export function largestIndex(values: ArrayLike<number>): number {
  let best = 0;
  for (let id = 1; id < values.length; id++) if ((values[id] ?? 0) > (values[best] ?? 0)) best = id;
  return best;
}

/** log Σ exp */
function logTotal(values: ArrayLike<number>): number {
  const largest = values[largestIndex(values)] ?? 0;
  let sum = 0;
  for (let id = 0; id < values.length; id++) sum += Math.exp((values[id] ?? 0) - largest);
  return largest + Math.log(sum);
}
