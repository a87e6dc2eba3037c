// On x86-64 CPUs ggml takes more than twice as long for two rows times a q8_0 matrix as for one.
// packages: @node-llama-cpp/linux-x64@3.22.1 koffi@3.3.4
//
// One row goes through the dot product of two vectors; from two on, the product goes through tinyBLAS's tiles for q8_0, which convert the
// scales of each pair of blocks anew and are slow with few rows: four take some three times as long as one. So two sequences that are
// decoded in one step are slower than one after the other. Multiply two rows one by one, or bring a kernel of your own.
// Processor time of one thread, least of many runs in turn.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";

const ROW_LENGTH = 3072;
const COLUMNS = 8192;
const ROUNDS = 25;
const [CPU, F32, Q8_0] = [0, 0, 8];

const folder = join(import.meta.dirname, "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64");
const registry = readdirSync(folder).find((name) => /^libggml\.(v.*\.)?so$/.test(name));
const base = koffi.load(join(folder, "libggml-base.so"), { global: true });
const ggml = koffi.load(join(folder, registry), { global: true });
ggml.func("void ggml_backend_load_all_from_path(const char* path)")(folder);
koffi.struct("ggml_init_params", { mem_size: "size_t", mem_buffer: "void*", no_alloc: "bool" });
const init = base.func("void* ggml_init(ggml_init_params params)");
const newMatrix = base.func("void* ggml_new_tensor_2d(void* ctx, int type, int64_t ne0, int64_t ne1)");
const dataOf = base.func("void* ggml_get_data(void* tensor)");
const mulMat = base.func("void* ggml_mul_mat(void* ctx, void* a, void* b)");
const setZero = base.func("void* ggml_set_zero(void* tensor)");
const newGraph = base.func("void* ggml_new_graph(void* ctx)");
const expand = base.func("void ggml_build_forward_expand(void* graph, void* tensor)");
const compute = base.func("int ggml_backend_graph_compute(void* backend, void* graph)");
const quantize = base.func(
  "size_t ggml_quantize_chunk(int type, float* src, void* dst, int64_t start, int64_t nrows, int64_t n_per_row, void* imatrix)",
);
const device = ggml.func("void* ggml_backend_dev_by_type(int type)")(CPU);
const backend = base.func("void* ggml_backend_dev_init(void* device, void* params)")(device, null);
const registryOf = base.func("void* ggml_backend_dev_backend_reg(void* device)")(device);
const setThreads = base.func("void* ggml_backend_reg_get_proc_address(void* reg, const char* name)")(
  registryOf,
  "ggml_backend_set_n_threads",
);
koffi.call(setThreads, koffi.proto("void set_threads(void* backend, int threads)"), backend, 1);

const context = init({ mem_size: 100e6, mem_buffer: null, no_alloc: false });
const matrix = newMatrix(context, Q8_0, ROW_LENGTH, COLUMNS);
const values = Float32Array.from({ length: ROW_LENGTH * COLUMNS }, (_, at) => Math.sin(at * 0.7));
quantize(Q8_0, values, dataOf(matrix), 0, COLUMNS, ROW_LENGTH, null);
const graphs = [1, 2].map((rows) => {
  const graph = newGraph(context);
  expand(graph, mulMat(context, matrix, setZero(newMatrix(context, F32, ROW_LENGTH, rows))));
  return graph;
});

const least = [Infinity, Infinity];
for (let round = 0; round < ROUNDS; round++) {
  for (const [index, graph] of graphs.entries()) {
    const before = process.cpuUsage();
    if (compute(backend, graph) !== 0) process.exit(2);
    const { user, system } = process.cpuUsage(before);
    least[index] = Math.min(least[index], (user + system) / 1000);
  }
}
const [one, two] = least;
console.log(`one row ${one.toFixed(2)} ms, two rows ${two.toFixed(2)} ms: ${(two / one).toFixed(2)} times`);
const isStillSo = two > 2 * one;
console.log(isStillSo ? "still so" : "no longer so");
process.exit(isStillSo ? 0 : 1);
