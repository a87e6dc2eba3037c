/**
 * The groups of nodes that reach each other, each as one cycle that starts at its alphabetically first node. A node
 * that is not a key has no arrows.
 */
export function findCycles(arrows: ReadonlyMap<string, readonly string[]>): string[][] {
  const reachable = new Map([...arrows.keys()].map((node) => [node, reachableFrom(node, arrows)]));
  const isInCycleWith = (a: string, b: string) =>
    (reachable.get(a)?.has(b) ?? false) && (reachable.get(b)?.has(a) ?? false);
  const cycles: string[][] = [];
  const seen = new Set<string>();
  for (const node of [...arrows.keys()].sort()) {
    if (seen.has(node) || !isInCycleWith(node, node)) continue;
    for (const other of arrows.keys()) if (isInCycleWith(node, other)) seen.add(other);
    cycles.push(shortestCycle(node, arrows));
  }
  return cycles;
}

function reachableFrom(start: string, arrows: ReadonlyMap<string, readonly string[]>): ReadonlySet<string> {
  const found = new Set<string>();
  const open = [...(arrows.get(start) ?? [])];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (found.has(node)) continue;
    found.add(node);
    open.push(...(arrows.get(node) ?? []));
  }
  return found;
}

/** The nodes of a shortest path from a node back to itself, including both ends. */
function shortestCycle(start: string, arrows: ReadonlyMap<string, readonly string[]>): string[] {
  const cameFrom = new Map<string, string>();
  const open = [start];
  for (let node = open.shift(); node !== undefined; node = open.shift()) {
    for (const next of arrows.get(node) ?? []) {
      if (next === start) return wayTo(node, start, cameFrom);
      if (cameFrom.has(next)) continue;
      cameFrom.set(next, node);
      open.push(next);
    }
  }
  return [start, start];
}

function wayTo(end: string, start: string, cameFrom: ReadonlyMap<string, string>): string[] {
  const way = [end, start];
  for (let node = end; node !== start;) {
    node = cameFrom.get(node) ?? start;
    way.unshift(node);
  }
  return way;
}
