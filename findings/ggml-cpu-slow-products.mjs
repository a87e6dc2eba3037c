// ggml's prebuilt CPU library multiplies f32 and bf16 matrices at half the speed that its own source reaches with a newer GCC.
// packages: @node-llama-cpp/linux-x64@3.22.1 koffi@3.3.4
//
// It was compiled with GCC 11.4, which keeps the accumulators of `llamafile/sgemm.cpp` in registers and yet writes all of them to
// the stack in every step of the inner loop; GCC 12 does not. Quantized types have other kernels. Build the CPU backend with GCC 12 or
// newer, or clang. Needs such a compiler, cmake, make and git; the source is in node-llama-cpp, whose package is fetched without
// those that it depends on. A core needs some minutes.
import { execFileSync, fork } from "node:child_process";
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";

const [INNER, ROWS, COLUMNS, RUNS] = [3072, 1024, 128, 15];
const TYPES = { f32: 0, bf16: 30, q8_0: 8 };
const prebuilt = join(import.meta.dirname, "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64");
const LIBRARY = /^libggml(-base|\.v.*)\.so$/;

/** Best of some runs in processor time, as 10⁹ operations a second, for each type. */
function measure(folder) {
  const registry = readdirSync(folder).find((name) => /^libggml\.(v.*\.)?so$/.test(name));
  const base = koffi.load(join(folder, "libggml-base.so"), { global: true });
  const ggml = koffi.load(join(folder, registry), { global: true });
  ggml.func("void ggml_backend_load_all_from_path(const char* path)")(folder);
  const device = ggml.func("void* ggml_backend_dev_by_type(int type)")(0);
  const backend = base.func("void* ggml_backend_dev_init(void* device, const char* params)")(device, null);
  const of = base.func("void* ggml_backend_dev_backend_reg(void* device)")(device);
  const find = base.func("void* ggml_backend_reg_get_proc_address(void* reg, const char* name)");
  const setThreads = koffi.proto("void set_threads(void* backend, int threads)");
  koffi.call(find(of, "ggml_backend_set_n_threads"), setThreads, backend, 1);
  koffi.struct("params", { size: "size_t", buffer: "void*", no_alloc: "bool" });
  const init = base.func("void* ggml_init(params params)");
  const tensor = base.func("void* ggml_new_tensor_2d(void* context, int type, int64_t ne0, int64_t ne1)");
  const multiply = base.func("void* ggml_mul_mat(void* context, void* a, void* b)");
  const newGraph = base.func("void* ggml_new_graph(void* context)");
  const expand = base.func("void ggml_build_forward_expand(void* graph, void* tensor)");
  const allocate = base.func("void* ggml_backend_alloc_ctx_tensors(void* context, void* backend)");
  const clear = base.func("void ggml_backend_buffer_clear(void* buffer, uint8_t value)");
  const compute = base.func("int ggml_backend_graph_compute(void* backend, void* graph)");
  const speeds = {};
  for (const [name, type] of Object.entries(TYPES)) {
    const context = init({ size: 1 << 20, buffer: null, no_alloc: true });
    const product = multiply(context, tensor(context, type, INNER, ROWS), tensor(context, TYPES.f32, INNER, COLUMNS));
    const graph = newGraph(context);
    expand(graph, product);
    clear(allocate(context, backend), 0);
    let least = Infinity;
    for (let run = 0; run < RUNS; run++) {
      const before = process.cpuUsage();
      if (compute(backend, graph) !== 0) throw new Error("ggml could not compute");
      const { user, system } = process.cpuUsage(before);
      least = Math.min(least, (user + system) / 1e6);
    }
    speeds[name] = (2 * INNER * ROWS * COLUMNS) / least / 1e9;
  }
  return speeds;
}

if (process.argv[2] !== undefined) {
  process.send(measure(process.argv[2]));
  process.disconnect();
} else {
  const ask = (folder) => new Promise((done) => fork(import.meta.filename, [folder]).once("message", done));
  const rebuilt = build();
  const [old, own] = [await ask(prebuilt), await ask(rebuilt)];
  for (const name of Object.keys(TYPES)) {
    const ratio = (own[name] / old[name]).toFixed(2);
    console.log(`${name}: prebuilt ${old[name].toFixed(0)}, rebuilt ${own[name].toFixed(0)} GFLOP/s: ${ratio} times`);
  }
  const isStillSo = own.f32 > 1.4 * old.f32;
  console.log(isStillSo ? "still so" : "no longer so");
  process.exit(isStillSo ? 0 : 1);
}

/** Folder with the prebuilt core and one CPU backend, compiled here for this kind of processor. */
function build() {
  // Compilers warn a lot: more than what is held by default.
  const options = { cwd: import.meta.dirname, encoding: "utf8", stdio: "pipe", maxBuffer: 1e9 };
  const run = (program, ...args) => execFileSync(program, args, options);
  const skip = (why) => {
    console.log(`cannot run here: ${why}`);
    process.exit(2);
  };
  if (process.platform !== "linux" || process.arch !== "x64") skip("the library is for Linux on x86-64");
  let compiler = "";
  for (const program of ["g++", "cmake", "make", "git"]) {
    try {
      const version = run(program, "--version").split("\n")[0];
      if (program === "g++") compiler = version;
    } catch {
      skip(`${program} is not installed`);
    }
  }
  if (Number(/ (\d+)\.\d+/.exec(compiler)?.[1]) < 12) skip(`it needs GCC 12 or newer (got ${compiler})`);
  const flags = /^flags\s*: (.*)$/m.exec(readFileSync("/proc/cpuinfo", "utf8"))?.[1].split(" ") ?? [];
  if (!flags.includes("avx2")) skip("the processor has no AVX2");
  const variant = flags.includes("avx512vl") ? (flags.includes("avx512_bf16") ? "zen4" : "skylakex") : "haswell";
  const [source, work, folder] = ["source", "build", "rebuilt"].map((name) => join(import.meta.dirname, name));
  if (!existsSync(source)) {
    run("npm", "pack", "node-llama-cpp@3.22.1", "--silent");
    run("tar", "-xzf", "node-llama-cpp-3.22.1.tgz", "package/llama/gitRelease.bundle");
    run("git", "clone", "--quiet", "package/llama/gitRelease.bundle", source);
  }
  const on = ["BUILD_SHARED_LIBS", "GGML_BACKEND_DL", "GGML_CPU_ALL_VARIANTS", "CMAKE_PLATFORM_NO_VERSIONED_SONAME"];
  const parts = ["COMMON", "TOOLS", "TESTS", "EXAMPLES", "SERVER"].map((part) => `LLAMA_BUILD_${part}`);
  const off = ["GGML_NATIVE", "GGML_OPENMP", "GGML_CCACHE", ...parts];
  const settings = [...on.map((name) => `-D${name}=ON`), ...off.map((name) => `-D${name}=OFF`)];
  run("cmake", "-S", source, "-B", work, "-DCMAKE_BUILD_TYPE=Release", "-DCMAKE_CXX_COMPILER=g++", ...settings);
  for (const place of [folder, join(work, "bin")]) {
    mkdirSync(place, { recursive: true });
    for (const name of readdirSync(prebuilt).filter((file) => LIBRARY.test(file))) {
      copyFileSync(join(prebuilt, name), join(place, name));
    }
  }
  run("make", "-s", "-C", work, "-j", "2", `ggml-cpu-${variant}-feats/fast`, `ggml-cpu-${variant}/fast`);
  copyFileSync(join(work, "bin", `libggml-cpu-${variant}.so`), join(folder, `libggml-cpu-${variant}.so`));
  console.log(`${variant}, rebuilt with ${compiler}`);
  return folder;
}
