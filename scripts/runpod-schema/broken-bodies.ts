/** Values of every kind, which are right in some places and wrong in most. */
const VALUES: readonly unknown[] = [
  null,
  true,
  0,
  1,
  -1,
  0.4,
  0.5,
  9,
  10,
  2.5,
  4096,
  4097,
  "",
  " ",
  "-x",
  "x",
  "12",
  "12.8",
  "QUEUE",
  [],
  ["x"],
  ["x", "x"],
  [1],
  {},
  { x: "y" },
];

/** The body with one thing changed at a time: a field left out, replaced, or added, at every depth. */
export function brokenBodies(body: object): unknown[] {
  return [...VALUES, ...variantsOf(body)];
}

function variantsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) {
    return value.flatMap((item, index) =>
      [...VALUES, ...variantsOf(item)].map((variant) => value.with(index, variant)),
    );
  }
  if (typeof value !== "object" || value === null) return [];
  const fields = Object.entries(value);
  return [
    { ...value, bogus: 1 },
    ...fields.map(([name]) => Object.fromEntries(fields.filter(([other]) => other !== name))),
    ...fields.flatMap(([name, child]) =>
      [...VALUES, ...variantsOf(child)].map((variant) => ({ ...value, [name]: variant })),
    ),
  ];
}
