/** The software of an image as CycloneDX: what npm says of the packages in it, and what does not come from npm. */

interface Component {
  readonly "bom-ref": string;
  readonly name: string;
  readonly purl?: string;
}

/** The parts of `npm sbom --sbom-format cyclonedx` that are used; the rest is passed on. */
export interface Bom {
  readonly bomFormat: "CycloneDX";
  readonly components: readonly Component[];
  readonly dependencies: readonly { readonly ref: string; readonly dependsOn?: readonly string[] }[];
}

/** A wheel of a requirements file with hashes. */
export interface Wheel {
  readonly name: string;
  readonly version: string;
  readonly sha256: string;
}

/**
 * Lines `name==version --hash=sha256:…`; comments and empty lines are skipped.
 *
 * @throws {Error} when a line has another form: without a hash, pip would take whatever an index gives
 */
export function parseRequirements(text: string): Wheel[] {
  const lines = text.split("\n").map((line) => line.trim());
  return lines
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => {
      const match = /^([\w.-]+)==([\w.]+) --hash=sha256:([0-9a-f]{64})$/.exec(line);
      const [, name, version, sha256] = match ?? [];
      if (name === undefined || version === undefined || sha256 === undefined) {
        throw new Error(`Cannot read the requirements: a line is not "name==version --hash=sha256:…" (got ${line})`);
      }
      return { name, version, sha256 };
    });
}

/** The package URL of an npm package, as npm writes it. */
export function npmPurl(name: string, version: string): string {
  return `pkg:npm/${name.replace("@", "%40")}@${version}`;
}

/**
 * The bill of an image: the packages of `bom` whose package URLs are in `installed`, with the links between them, and the
 * wheels and programs that were copied beside them.
 */
export function imageBom(bom: Bom, installed: ReadonlySet<string>, others: readonly object[]): object {
  const components = bom.components.filter(({ purl }) => purl !== undefined && installed.has(purl));
  const refs = new Set(components.map((component) => component["bom-ref"]));
  const dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn = [] }) => ({ ref, dependsOn: dependsOn.filter((target) => refs.has(target)) }));
  return { ...bom, components: [...components, ...others], dependencies };
}

export function wheelComponent({ name, version, sha256 }: Wheel): object {
  return {
    "bom-ref": `${name}@${version}`,
    type: "library",
    name,
    version,
    purl: `pkg:pypi/${name}@${version}`,
    hashes: [{ alg: "SHA-256", content: sha256 }],
    licenses: [{ license: { name: "NVIDIA Software License Agreement" } }],
  };
}

export function npmComponent(name: string, version: string): object {
  return {
    "bom-ref": `${name}@${version}`,
    type: "library",
    name,
    version,
    purl: npmPurl(name, version),
    licenses: [{ license: { id: "MIT" } }],
  };
}

export function nodeComponent(version: string): object {
  return {
    "bom-ref": `node@${version}`,
    type: "application",
    name: "node",
    version,
    purl: `pkg:generic/node@${version}`,
    licenses: [{ license: { id: "MIT" } }],
  };
}
