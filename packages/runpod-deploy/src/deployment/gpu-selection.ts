import type { EndpointGpu, GpuType } from "../api/types.ts";

/**
 * Serverless pools and their cards by short name, from RunPod's published tables: enough to choose without asking. The
 * catalog knows more and newer ones and is used where it can be read.
 */
export const KNOWN_CARDS: readonly GpuType[] = [
  card("NVIDIA RTX A4000", "RTX A4000", "AMPERE_16", 16),
  card("NVIDIA RTX A4500", "RTX A4500", "AMPERE_16", 20),
  card("NVIDIA RTX 4000 Ada Generation", "RTX 4000 Ada", "AMPERE_16", 20),
  card("NVIDIA RTX 2000 Ada Generation", "RTX 2000 Ada", "AMPERE_16", 16),
  card("NVIDIA L4", "L4", "AMPERE_24", 24),
  card("NVIDIA RTX A5000", "RTX A5000", "AMPERE_24", 24),
  card("NVIDIA GeForce RTX 3090", "RTX 3090", "AMPERE_24", 24),
  card("NVIDIA GeForce RTX 4090", "RTX 4090", "ADA_24", 24),
  card("NVIDIA GeForce RTX 5090", "RTX 5090", "ADA_32_PRO", 32),
  card("NVIDIA RTX A6000", "RTX A6000", "AMPERE_48", 48),
  card("NVIDIA A40", "A40", "AMPERE_48", 48),
  card("NVIDIA L40", "L40", "ADA_48_PRO", 48),
  card("NVIDIA L40S", "L40S", "ADA_48_PRO", 48),
  card("NVIDIA RTX 6000 Ada Generation", "RTX 6000 Ada", "ADA_48_PRO", 48),
  card("NVIDIA A100 80GB PCIe", "A100 PCIe", "AMPERE_80", 80),
  card("NVIDIA A100-SXM4-80GB", "A100 SXM", "AMPERE_80", 80),
  card("NVIDIA H100 80GB HBM3", "H100 SXM", "ADA_80_PRO", 80),
  card("NVIDIA H100 PCIe", "H100 PCIe", "ADA_80_PRO", 80),
  card("NVIDIA H100 NVL", "H100 NVL", "ADA_80_PRO", 94),
  card("NVIDIA RTX PRO 6000 Blackwell Server Edition", "RTX PRO 6000", "BLACKWELL_96", 96),
  card("NVIDIA H200", "H200 SXM", "HOPPER_141", 141),
  card("NVIDIA B200", "B200", "BLACKWELL_180", 180),
];

function card(id: string, name: string, pool: string, memory: number): GpuType {
  return { id, name, pool, memory };
}

/** A choice of cards in RunPod's terms: whole pools, less the cards that were not asked for. */
export type GpuSelection = Pick<EndpointGpu, "pools"> & { readonly excludedTypes: readonly string[] };

/**
 * Pools and exclusions for names of pools (`ADA_24`), type ids (`NVIDIA GeForce RTX 4090`) or short names (`4090`, `L40S`). A
 * pool that is named is taken whole; of the pools of named cards, all other cards are excluded.
 *
 * @returns the names that nothing fits in `unknown`
 */
export function selectGpus(
  names: readonly string[],
  catalog: readonly GpuType[],
): { readonly selection: GpuSelection; readonly unknown: readonly string[] } {
  const offered = catalog.filter((type) => type.pool !== null);
  const wholePools = new Set<string>();
  const cards = new Set<GpuType>();
  const pools: string[] = [];
  const unknown: string[] = [];
  for (const name of names) {
    const pool = name.trim().toUpperCase();
    const isPool = offered.some((type) => type.pool === pool);
    const found = isPool ? [] : offered.filter((type) => isNamed(type, name));
    if (isPool) wholePools.add(pool);
    for (const type of found) cards.add(type);
    const added = isPool ? [pool] : found.flatMap((type) => type.pool ?? []);
    if (added.length === 0) unknown.push(name);
    pools.push(...added.filter((one) => !pools.includes(one)));
  }
  const excludedTypes = offered
    .filter((type) => pools.includes(type.pool ?? "") && !wholePools.has(type.pool ?? "") && !cards.has(type))
    .map((type) => type.id);
  return { selection: { pools: [...new Set(pools)], excludedTypes }, unknown };
}

/** Names of pools and cards that can be asked for. */
export function offeredNames(catalog: readonly GpuType[]): { readonly pools: string[]; readonly cards: string[] } {
  const offered = catalog.filter((type) => type.pool !== null);
  return {
    pools: [...new Set(offered.flatMap((type) => type.pool ?? []))].sort(),
    cards: [...new Set(offered.map((type) => type.name))].sort(),
  };
}

/** The whole id or name, or what makes the name of a card: its model and nothing in front of it. */
function isNamed(type: GpuType, name: string): boolean {
  const wanted = normalize(name);
  const names = [type.id, type.name].map(normalize);
  return wanted !== "" && (names.includes(wanted) || names.some((one) => shortForms(one).includes(wanted)));
}

function normalize(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, " ")
    .trim();
}

/** `nvidia geforce rtx 4090` is also `4090`, and `h100 sxm` also `h100`. */
function shortForms(name: string): string[] {
  const bare = name.replace(/^(nvidia |geforce |rtx )+/, "");
  const words = bare.split(" ");
  const isVariant = /^(sxm|pcie|nvl)/.test(words[1] ?? "");
  return [bare, `rtx ${bare}`, ...(isVariant ? [words[0] ?? ""] : [])];
}
