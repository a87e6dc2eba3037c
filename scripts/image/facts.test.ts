import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { CUDA_BUILDS } from "../../packages/higgs-audio/src/preflight/cuda-builds.ts";
import { parseCapabilities, parsePtxVersion } from "./cuda-code.ts";
import { parseNeeded, parseSymbols } from "./elf-facts.ts";
import { type Measured, TARGETS } from "./measured.ts";
import { imageBom, npmPurl, parseRequirements } from "./sbom.ts";

const root = join(import.meta.dirname, "..", "..");

describe("what tools say of a library", () => {
  it("readelf: the libraries that it needs, and nothing else of the dynamic section", () => {
    const output = [
      "Dynamic section at offset 0x9f0 contains 33 entries:",
      "  Tag        Type                         Name/Value",
      " 0x0000000000000001 (NEEDED)             Shared library: [libggml-base.so]",
      " 0x0000000000000001 (NEEDED)             Shared library: [libcudart.so.12]",
      " 0x000000000000000e (SONAME)             Library soname: [libggml-cuda.so]",
      " 0x000000000000001d (RUNPATH)            Library runpath: [$ORIGIN:]",
    ].join("\n");
    expect(parseNeeded(output)).toEqual(["libggml-base.so", "libcudart.so.12"]);
  });

  it("nm: names without versions, and no weak ones", () => {
    const output = [
      "                 w __cxa_finalize@GLIBC_2.2.5",
      "                 U cuMemCreate",
      "                 U cublasCreate_v2@libcublas.so.12",
      "00000000000f3a10 T ggml_backend_init",
      "0000000000111000 D ggml_table@@V1",
      "                 v weak_object",
      "",
    ].join("\n");
    expect(parseSymbols(output)).toEqual(["cuMemCreate", "cublasCreate_v2", "ggml_backend_init", "ggml_table"]);
  });

  it("cuobjdump: each compute capability once, in order, with its suffix", () => {
    const output = [
      "ELF file    1: libggml-cuda.1.sm_120a.cubin",
      "ELF file    2: libggml-cuda.2.sm_86.cubin",
      "ELF file    3: libggml-cuda.3.sm_86.cubin",
      "PTX file    1: libggml-cuda.1.sm_100.ptx",
    ].join("\n");
    expect(parseCapabilities(output)).toEqual(["8.6", "10.0", "12.0a"]);
    expect(parsePtxVersion("//\n.version 8.4\n.target sm_50\n")).toBe("8.4");
    expect(parsePtxVersion("// nothing\n")).toBeNull();
  });
});

describe("the bill of materials", () => {
  it("refuses a wheel without a hash or an exact version", () => {
    const hash = "a".repeat(64);
    expect(parseRequirements(`# why\n\nnvidia-x==1.2 --hash=sha256:${hash}\n`)).toEqual([
      { name: "nvidia-x", version: "1.2", sha256: hash },
    ]);
    for (const line of ["nvidia-x", "nvidia-x==1.2", `nvidia-x>=1.2 --hash=sha256:${hash}`, "-r other.txt"]) {
      expect(() => parseRequirements(line)).toThrow("Cannot read the requirements");
    }
  });

  it("lists what is installed, its links, and what does not come from npm", () => {
    const component = (name: string) => ({ "bom-ref": `${name}@1`, name, purl: npmPurl(name, "1") });
    const bom = {
      bomFormat: "CycloneDX",
      components: [component("@a/b"), component("c"), component("dev")],
      dependencies: [
        { ref: "@a/b@1", dependsOn: ["c@1", "dev@1"] },
        { ref: "dev@1", dependsOn: ["c@1"] },
      ],
    } as const;
    const other = { purl: "pkg:pypi/x@2" };
    expect(imageBom(bom, new Set(["pkg:npm/%40a/b@1", "pkg:npm/c@1"]), [other])).toEqual({
      bomFormat: "CycloneDX",
      components: [component("@a/b"), component("c"), other],
      dependencies: [{ ref: "@a/b@1", dependsOn: ["c@1"] }],
    });
  });
});

describe("the pins of the images", () => {
  const ggml = JSON.parse(readFileSync(join(root, "packages/ggml/package.json"), "utf8")) as {
    readonly optionalDependencies: Readonly<Record<string, string>>;
  };
  const version = ggml.optionalDependencies["@node-llama-cpp/linux-x64"];

  it.each(TARGETS.map(({ name }) => name))("%s: a GPU library of the version that the program was made for", (name) => {
    const lock = JSON.parse(readFileSync(join(root, "docker", name, "package-lock.json"), "utf8")) as {
      readonly packages: Readonly<Record<string, { readonly version?: string; readonly integrity?: string }>>;
    };
    const packages = Object.entries(lock.packages).filter(([path]) => path !== "");
    expect(packages).toHaveLength(2);
    for (const [, pinned] of packages)
      expect(pinned).toMatchObject({ version, integrity: expect.stringMatching(/^sha512-/) });
  });

  it.each(["cuda12", "cuda13"] as const)(
    "%s: the program knows the device code that was read off the library",
    (name) => {
      const { images } = JSON.parse(readFileSync(join(root, "docker/measured.json"), "utf8")) as Measured;
      const { code, needs } = images.find(({ target }) => target === name)!.gpuLibrary;
      const build = CUDA_BUILDS[name];
      expect(code).toMatchObject({ machineCode: build.machineCode, ptx: build.ptx });
      // CUDA 12.4 brought PTX 8.4 with driver 550, and CUDA 13.1 brought 9.1 with 590.
      expect({ "8.4": 550, "9.1": 590 }[code?.ptxVersion ?? ""]).toBe(build.oldestPtxDriver);
      expect(needs).toContain(`libcudart.so.${build.runtime}`);
    },
  );

  it("the measured images are within their limits and of that version", () => {
    const { images } = JSON.parse(readFileSync(join(root, "docker/measured.json"), "utf8")) as Measured;
    expect(images.map(({ target }) => target)).toEqual(TARGETS.map(({ name }) => name));
    for (const { target, bytes, layers, gpuLibrary } of images) {
      expect(bytes).toBeLessThanOrEqual(TARGETS.find(({ name }) => name === target)?.maxBytes ?? 0);
      expect(layers.reduce((sum, layer) => sum + layer.bytes, 0) / bytes).toBeCloseTo(1, 3);
      expect(gpuLibrary.from).toContain(` ${version}`);
    }
  });
});
