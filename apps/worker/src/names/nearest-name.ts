/** How much of a name is compared; hostile names can have millions of letters. */
const MAX_COMPARED_CHARS = 64;

/**
 * The known name that was probably meant: the one with the fewest edits (insert, remove, replace, swap of
 * neighbors), or null when even that needs more than a third of its letters changed. Case, `-` and `_` do not count.
 */
export function nearestName(name: string, known: Iterable<string>): string | null {
  const wanted = comparable(name);
  let best: string | null = null;
  let bestEdits = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const target = comparable(candidate);
    const edits = editDistance(wanted, target);
    if (edits < bestEdits && edits <= Math.max(1, Math.floor(Math.max(target.length, wanted.length) / 3))) {
      best = candidate;
      bestEdits = edits;
    }
  }
  return best;
}

/** `, did you mean NAME?`, or nothing. */
export function suggestion(name: string, known: Iterable<string>): string {
  const nearest = nearestName(name, known);
  return nearest === null ? "" : `, did you mean ${nearest}?`;
}

function comparable(name: string): string {
  return name
    .slice(0, MAX_COMPARED_CHARS)
    .toLowerCase()
    .replaceAll(/[-_\s]/g, "");
}

/** Optimal string alignment distance, by the usual table of three rows. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaceCost = a[i - 1] === b[j - 1] ? 0 : 1;
      let edits = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + replaceCost);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) {
        edits = Math.min(edits, (beforeLast[j - 2] ?? 0) + 1);
      }
      row.push(edits);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length] ?? 0;
}
