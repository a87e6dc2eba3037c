/**
 * 1:1 declarations of the C functions that we use, in header order (ggml.h, ggml-alloc.h, ggml-backend.h, gguf.h of ggml
 * 0.25). Mechanical on purpose: no defaults, no checks, no policy. The only importer of koffi.
 *
 * koffi passes pointers as bigint and null as null; a plain number in a pointer's place would be undefined behavior, hence
 * the branded type. int64_t and size_t come back as number when they are safe integers.
 */
import koffi from "koffi";
import { GgmlError } from "./errors.ts";
import type { LibraryFiles } from "./library.ts";

declare const pointerBrand: unique symbol;
/** Address of a native object. Never made from a number, never leaves this package. */
export type Pointer = bigint & { readonly [pointerBrand]: true };

export type NativeBuffer = NodeJS.ArrayBufferView | ArrayBuffer;

/**
 * Stack of native calls. koffi's default for asynchronous ones is 256 KiB, which a device driver that compiles shaders or
 * kernels inside a computation overruns, silently corrupting the heap.
 */
const STACK_BYTES = 8 * 1024 * 1024;
koffi.config({ sync_stack_size: STACK_BYTES, async_stack_size: STACK_BYTES });

koffi.struct("ggml_init_params", { mem_size: "size_t", mem_buffer: "void*", no_alloc: "bool" });
koffi.struct("gguf_init_params", { no_alloc: "bool", ctx: "void*" });
const LOG_CALLBACK = koffi.proto("void ggml_log_callback(int level, const char* text, void* user_data)");
const SET_N_THREADS = koffi.proto("void ggml_backend_set_n_threads(void* backend, int n_threads)");
const GET_EXTRA_BUFTS = koffi.proto("void* ggml_backend_dev_get_extra_bufts(void* device)");

/** C declaration of each function, by the name that `Bindings` gives it. */
const BASE_FUNCTIONS = {
  // ggml.h: general
  version: "const char* ggml_version()",
  nbytes: "size_t ggml_nbytes(void* tensor)",
  tensorOverhead: "size_t ggml_tensor_overhead()",
  graphOverhead: "size_t ggml_graph_overhead_custom(size_t size, bool grads)",
  typeSize: "size_t ggml_type_size(int type)",
  blckSize: "int64_t ggml_blck_size(int type)",
  typeName: "const char* ggml_type_name(int type)",
  init: "void* ggml_init(ggml_init_params params)",
  free: "void ggml_free(void* ctx)",
  usedMem: "size_t ggml_used_mem(void* ctx)",
  newTensor4d: "void* ggml_new_tensor_4d(void* ctx, int type, int64_t ne0, int64_t ne1, int64_t ne2, int64_t ne3)",
  getData: "void* ggml_get_data(void* tensor)",
  getName: "const char* ggml_get_name(void* tensor)",
  setName: "void* ggml_set_name(void* tensor, const char* name)",
  setInput: "void ggml_set_input(void* tensor)",
  setOutput: "void ggml_set_output(void* tensor)",
  logSet: "void ggml_log_set(ggml_log_callback* callback, void* user_data)",
  // ggml.h: operations
  add: "void* ggml_add(void* ctx, void* a, void* b)",
  mul: "void* ggml_mul(void* ctx, void* a, void* b)",
  sqr: "void* ggml_sqr(void* ctx, void* a)",
  sin: "void* ggml_sin(void* ctx, void* a)",
  elu: "void* ggml_elu(void* ctx, void* a)",
  geluErf: "void* ggml_gelu_erf(void* ctx, void* a)",
  swigluSplit: "void* ggml_swiglu_split(void* ctx, void* a, void* b)",
  norm: "void* ggml_norm(void* ctx, void* a, float eps)",
  rmsNorm: "void* ggml_rms_norm(void* ctx, void* a, float eps)",
  groupNorm: "void* ggml_group_norm(void* ctx, void* a, int n_groups, float eps)",
  mulMat: "void* ggml_mul_mat(void* ctx, void* a, void* b)",
  mulMatSetPrec: "void ggml_mul_mat_set_prec(void* a, int prec)",
  scale: "void* ggml_scale(void* ctx, void* a, float s)",
  cpy: "void* ggml_cpy(void* ctx, void* a, void* b)",
  cast: "void* ggml_cast(void* ctx, void* a, int type)",
  cont: "void* ggml_cont(void* ctx, void* a)",
  concat: "void* ggml_concat(void* ctx, void* a, void* b, int dim)",
  reshape4d: "void* ggml_reshape_4d(void* ctx, void* a, int64_t ne0, int64_t ne1, int64_t ne2, int64_t ne3)",
  view4d:
    "void* ggml_view_4d(void* ctx, void* a, int64_t ne0, int64_t ne1, int64_t ne2, int64_t ne3, size_t nb1, size_t nb2, size_t nb3, size_t offset)",
  permute: "void* ggml_permute(void* ctx, void* a, int axis0, int axis1, int axis2, int axis3)",
  transpose: "void* ggml_transpose(void* ctx, void* a)",
  getRows: "void* ggml_get_rows(void* ctx, void* a, void* b)",
  setRows: "void* ggml_set_rows(void* ctx, void* a, void* b, void* c)",
  softMaxExt: "void* ggml_soft_max_ext(void* ctx, void* a, void* mask, float scale, float max_bias)",
  ropeExt:
    "void* ggml_rope_ext(void* ctx, void* a, void* b, void* c, int n_dims, int mode, int n_ctx_orig, float freq_base, float freq_scale, float ext_factor, float attn_factor, float beta_fast, float beta_slow)",
  im2col:
    "void* ggml_im2col(void* ctx, void* a, void* b, int s0, int s1, int p0, int p1, int d0, int d1, bool is_2D, int dst_type)",
  col2im1d: "void* ggml_col2im_1d(void* ctx, void* a, int s0, int oc, int p0)",
  flashAttnExt:
    "void* ggml_flash_attn_ext(void* ctx, void* q, void* k, void* v, void* mask, float scale, float max_bias, float logit_softcap)",
  flashAttnExtSetPrec: "void ggml_flash_attn_ext_set_prec(void* a, int prec)",
  // ggml.h: graphs and quantization
  newGraph: "void* ggml_new_graph_custom(void* ctx, size_t size, bool grads)",
  buildForwardExpand: "void ggml_build_forward_expand(void* graph, void* tensor)",
  graphNodeCount: "int ggml_graph_n_nodes(void* graph)",
  graphNode: "void* ggml_graph_node(void* graph, int i)",
  quantizeChunk:
    "size_t ggml_quantize_chunk(int type, const void* src, _Out_ void* dst, int64_t start, int64_t nrows, int64_t n_per_row, void* imatrix)",
  // ggml-alloc.h
  gallocrNew: "void* ggml_gallocr_new(void* buffer_type)",
  gallocrFree: "void ggml_gallocr_free(void* galloc)",
  gallocrAllocGraph: "bool ggml_gallocr_alloc_graph(void* galloc, void* graph)",
  gallocrBufferSize: "size_t ggml_gallocr_get_buffer_size(void* galloc, int buffer_id)",
  allocCtxTensors: "void* ggml_backend_alloc_ctx_tensors_from_buft(void* ctx, void* buffer_type)",
  // ggml-backend.h
  buftName: "const char* ggml_backend_buft_name(void* buffer_type)",
  buftIsHost: "bool ggml_backend_buft_is_host(void* buffer_type)",
  bufferFree: "void ggml_backend_buffer_free(void* buffer)",
  bufferBase: "void* ggml_backend_buffer_get_base(void* buffer)",
  bufferSize: "size_t ggml_backend_buffer_get_size(void* buffer)",
  bufferClear: "void ggml_backend_buffer_clear(void* buffer, uint8_t value)",
  bufferIsHost: "bool ggml_backend_buffer_is_host(void* buffer)",
  bufferSetUsage: "void ggml_backend_buffer_set_usage(void* buffer, int usage)",
  backendName: "const char* ggml_backend_name(void* backend)",
  backendFree: "void ggml_backend_free(void* backend)",
  backendBufferType: "void* ggml_backend_get_default_buffer_type(void* backend)",
  tensorSet: "void ggml_backend_tensor_set(void* tensor, const void* data, size_t offset, size_t size)",
  tensorGet: "void ggml_backend_tensor_get(void* tensor, _Out_ void* data, size_t offset, size_t size)",
  tensorMemset: "void ggml_backend_tensor_memset(void* tensor, uint8_t value, size_t offset, size_t size)",
  graphCompute: "int ggml_backend_graph_compute(void* backend, void* graph)",
  supportsOp: "bool ggml_backend_supports_op(void* backend, void* op)",
  schedulerNew:
    "void* ggml_backend_sched_new(void** backends, void** bufts, int n_backends, size_t graph_size, bool parallel, bool op_offload)",
  schedulerFree: "void ggml_backend_sched_free(void* sched)",
  schedulerSplitGraph: "void ggml_backend_sched_split_graph(void* sched, void* graph)",
  schedulerSplitCount: "int ggml_backend_sched_get_n_splits(void* sched)",
  deviceName: "const char* ggml_backend_dev_name(void* device)",
  deviceDescription: "const char* ggml_backend_dev_description(void* device)",
  deviceMemory: "void ggml_backend_dev_memory(void* device, _Out_ size_t* free, _Out_ size_t* total)",
  deviceType: "int ggml_backend_dev_type(void* device)",
  deviceRegistry: "void* ggml_backend_dev_backend_reg(void* device)",
  deviceInit: "void* ggml_backend_dev_init(void* device, const char* params)",
  registryName: "const char* ggml_backend_reg_name(void* reg)",
  registryProcAddress: "void* ggml_backend_reg_get_proc_address(void* reg, const char* name)",
  // gguf.h
  ggufInitEmpty: "void* gguf_init_empty()",
  ggufInitFromFile: "void* gguf_init_from_file(const char* fname, gguf_init_params params)",
  ggufFree: "void gguf_free(void* ctx)",
  ggufDataOffset: "size_t gguf_get_data_offset(void* ctx)",
  ggufKeyCount: "int64_t gguf_get_n_kv(void* ctx)",
  ggufKey: "const char* gguf_get_key(void* ctx, int64_t key_id)",
  ggufKeyType: "int gguf_get_kv_type(void* ctx, int64_t key_id)",
  ggufValU32: "uint32_t gguf_get_val_u32(void* ctx, int64_t key_id)",
  ggufValStr: "const char* gguf_get_val_str(void* ctx, int64_t key_id)",
  ggufTensorCount: "int64_t gguf_get_n_tensors(void* ctx)",
  ggufTensorOffset: "size_t gguf_get_tensor_offset(void* ctx, int64_t tensor_id)",
  ggufTensorName: "const char* gguf_get_tensor_name(void* ctx, int64_t tensor_id)",
  ggufTensorShape: "int64_t* gguf_get_tensor_ne(void* ctx, int64_t tensor_id)",
  ggufTensorType: "int gguf_get_tensor_type(void* ctx, int64_t tensor_id)",
  ggufTensorSize: "size_t gguf_get_tensor_size(void* ctx, int64_t tensor_id)",
  ggufSetU32: "void gguf_set_val_u32(void* ctx, const char* key, uint32_t value)",
  ggufSetStr: "void gguf_set_val_str(void* ctx, const char* key, const char* value)",
  ggufAddTensor: "void gguf_add_tensor(void* ctx, void* tensor)",
  ggufMetaSize: "size_t gguf_get_meta_size(void* ctx)",
  ggufMetaData: "void gguf_get_meta_data(void* ctx, _Out_ void* data)",
} as const;

const REGISTRY_FUNCTIONS = {
  loadAllFromPath: "void ggml_backend_load_all_from_path(const char* dir_path)",
  loadBackend: "void* ggml_backend_load(const char* path)",
  deviceCount: "size_t ggml_backend_dev_count()",
  deviceGet: "void* ggml_backend_dev_get(size_t index)",
} as const;

type P = Pointer;
type N = number;

/** The native surface, typed. */
export interface Bindings {
  version(): string;
  nbytes(tensor: P): N;
  tensorOverhead(): N;
  graphOverhead(size: N, grads: boolean): N;
  typeSize(type: N): N;
  blckSize(type: N): N;
  typeName(type: N): string;
  init(params: { mem_size: N; mem_buffer: null; no_alloc: boolean }): P | null;
  free(ctx: P): void;
  usedMem(ctx: P): N;
  newTensor4d(ctx: P, type: N, ne0: N, ne1: N, ne2: N, ne3: N): P;
  getData(tensor: P): P | null;
  getName(tensor: P): string;
  setName(tensor: P, name: string): P;
  setInput(tensor: P): void;
  setOutput(tensor: P): void;
  logSet(callback: P | null, userData: null): void;
  add(ctx: P, a: P, b: P): P;
  mul(ctx: P, a: P, b: P): P;
  sqr(ctx: P, a: P): P;
  sin(ctx: P, a: P): P;
  elu(ctx: P, a: P): P;
  geluErf(ctx: P, a: P): P;
  swigluSplit(ctx: P, a: P, b: P): P;
  norm(ctx: P, a: P, eps: N): P;
  rmsNorm(ctx: P, a: P, eps: N): P;
  groupNorm(ctx: P, a: P, groups: N, eps: N): P;
  mulMat(ctx: P, a: P, b: P): P;
  mulMatSetPrec(a: P, precision: N): void;
  scale(ctx: P, a: P, s: N): P;
  cpy(ctx: P, a: P, b: P): P;
  cast(ctx: P, a: P, type: N): P;
  cont(ctx: P, a: P): P;
  concat(ctx: P, a: P, b: P, dim: N): P;
  reshape4d(ctx: P, a: P, ne0: N, ne1: N, ne2: N, ne3: N): P;
  view4d(ctx: P, a: P, ne0: N, ne1: N, ne2: N, ne3: N, nb1: N, nb2: N, nb3: N, offset: N): P;
  permute(ctx: P, a: P, axis0: N, axis1: N, axis2: N, axis3: N): P;
  transpose(ctx: P, a: P): P;
  getRows(ctx: P, a: P, b: P): P;
  setRows(ctx: P, a: P, b: P, c: P): P;
  softMaxExt(ctx: P, a: P, mask: P | null, scale: N, maxBias: N): P;
  ropeExt(
    ctx: P,
    a: P,
    positions: P,
    frequencyFactors: P | null,
    nDims: N,
    mode: N,
    nCtxOrig: N,
    freqBase: N,
    freqScale: N,
    extFactor: N,
    attnFactor: N,
    betaFast: N,
    betaSlow: N,
  ): P;
  im2col(ctx: P, a: P, b: P, s0: N, s1: N, p0: N, p1: N, d0: N, d1: N, is2d: boolean, type: N): P;
  col2im1d(ctx: P, a: P, s0: N, channels: N, p0: N): P;
  flashAttnExt(ctx: P, q: P, k: P, v: P, mask: P | null, scale: N, maxBias: N, logitSoftcap: N): P;
  flashAttnExtSetPrec(a: P, precision: N): void;
  newGraph(ctx: P, size: N, grads: boolean): P;
  buildForwardExpand(graph: P, tensor: P): void;
  graphNodeCount(graph: P): N;
  graphNode(graph: P, index: N): P;
  quantizeChunk: {
    (type: N, source: NativeBuffer, target: NativeBuffer, start: N, rows: N, rowElements: N, imatrix: null): N;
    async(
      type: N,
      source: NativeBuffer,
      target: NativeBuffer,
      start: N,
      rows: N,
      rowElements: N,
      imatrix: null,
      callback: (error: Error | null, bytes: N) => void,
    ): void;
  };
  gallocrNew(bufferType: P): P | null;
  gallocrFree(allocator: P): void;
  gallocrAllocGraph(allocator: P, graph: P): boolean;
  gallocrBufferSize(allocator: P, bufferId: N): N;
  allocCtxTensors(ctx: P, bufferType: P): P | null;
  buftName(bufferType: P): string;
  buftIsHost(bufferType: P): boolean;
  bufferFree(buffer: P): void;
  bufferBase(buffer: P): P | null;
  bufferSize(buffer: P): N;
  bufferClear(buffer: P, value: N): void;
  bufferIsHost(buffer: P): boolean;
  bufferSetUsage(buffer: P, usage: N): void;
  backendName(backend: P): string;
  backendFree(backend: P): void;
  backendBufferType(backend: P): P;
  tensorSet: {
    (tensor: P, data: NativeBuffer, offset: N, size: N): void;
    async(tensor: P, data: NativeBuffer, offset: N, size: N, callback: (error: Error | null) => void): void;
  };
  tensorGet(tensor: P, data: NativeBuffer, offset: N, size: N): void;
  tensorMemset(tensor: P, value: N, offset: N, size: N): void;
  graphCompute: {
    (backend: P, graph: P): N;
    async(backend: P, graph: P, callback: (error: Error | null, status: N) => void): void;
  };
  supportsOp(backend: P, op: P): boolean;
  schedulerNew(
    backends: readonly P[],
    bufferTypes: null,
    count: N,
    graphSize: N,
    isParallel: boolean,
    isOffloading: boolean,
  ): P;
  schedulerFree(scheduler: P): void;
  schedulerSplitGraph(scheduler: P, graph: P): void;
  schedulerSplitCount(scheduler: P): N;
  deviceName(device: P): string;
  deviceDescription(device: P): string;
  deviceMemory(device: P, free: [N], total: [N]): void;
  deviceType(device: P): N;
  deviceRegistry(device: P): P;
  deviceInit(device: P, params: null): P | null;
  registryName(registry: P): string;
  registryProcAddress(registry: P, name: string): P | null;
  ggufInitEmpty(): P;
  ggufInitFromFile(path: string, params: { no_alloc: boolean; ctx: null }): P | null;
  ggufFree(gguf: P): void;
  ggufDataOffset(gguf: P): N;
  ggufKeyCount(gguf: P): N;
  ggufKey(gguf: P, id: N): string;
  ggufKeyType(gguf: P, id: N): N;
  ggufValU32(gguf: P, id: N): N;
  ggufValStr(gguf: P, id: N): string;
  ggufTensorCount(gguf: P): N;
  ggufTensorOffset(gguf: P, id: N): N;
  ggufTensorName(gguf: P, id: N): string;
  ggufTensorShape(gguf: P, id: N): P;
  ggufTensorType(gguf: P, id: N): N;
  ggufTensorSize(gguf: P, id: N): N;
  ggufSetU32(gguf: P, key: string, value: N): void;
  ggufSetStr(gguf: P, key: string, value: string): void;
  ggufAddTensor(gguf: P, tensor: P): void;
  ggufMetaSize(gguf: P): N;
  ggufMetaData(gguf: P, data: NativeBuffer): void;
  loadAllFromPath(directory: string): void;
  loadBackend(path: string): P | null;
  /** What a CPU backend's file says of this processor: 0 when it cannot run here, else the more the better it fits. */
  scoreBackend(path: string): N;
  deviceCount(): N;
  deviceGet(index: N): P;
  /** Calls a `ggml_backend_set_n_threads_t` got from `registryProcAddress`. */
  callSetThreads(procedure: P, backend: P, threads: N): void;
  /** The list that a `ggml_backend_dev_get_extra_bufts_t` got from `registryProcAddress` gives. */
  callGetExtraBufts(procedure: P, device: P): P[];
  /** `madvise` of the C library; −1 when the system refuses, null when it has none. `address` must be that of a page. */
  madvise: ((address: P, byteLength: N, advice: N) => N) | null;
  /** Registers a log callback for the life of the process and returns its pointer. */
  registerLog(callback: (level: N, text: string) => void): P;
  /** Native memory as bytes, without a copy. Valid only while the native object lives. */
  view(address: P, byteLength: N): Uint8Array;
}

type FunctionName = keyof typeof BASE_FUNCTIONS | keyof typeof REGISTRY_FUNCTIONS;

/**
 * Loads both libraries and binds every function.
 *
 * @throws {GgmlError} `library-invalid` when a file cannot be loaded or lacks a function
 */
export function bind(files: LibraryFiles): Bindings {
  const functions: Partial<Record<FunctionName, unknown>> = {};
  bindAll(files.base, BASE_FUNCTIONS, functions);
  bindAll(files.registry, REGISTRY_FUNCTIONS, functions);
  return {
    ...(functions as unknown as Bindings),
    callSetThreads: (procedure, backend, threads) => {
      koffi.call(procedure, SET_N_THREADS, backend, threads);
    },
    callGetExtraBufts: (procedure, device) => {
      const list = koffi.call(procedure, GET_EXTRA_BUFTS, device) as Pointer | null;
      return list === null ? [] : readPointers(list);
    },
    madvise: process.platform === "linux" ? bindMadvise() : null,
    scoreBackend: (path) => Number(koffi.load(path).func("int ggml_backend_score()")()),
    registerLog: (callback) => koffi.register(callback, koffi.pointer(LOG_CALLBACK)) as unknown as Pointer,
    view: (address, byteLength) => new Uint8Array(koffi.view(address, byteLength)),
  };
}

/** Pointers up to the null that ends their list. */
function readPointers(list: Pointer): Pointer[] {
  const pointers: Pointer[] = [];
  for (let place: bigint = list; ; place += 8n) {
    const [address = 0n] = new BigUint64Array(koffi.view(place, 8));
    if (address === 0n) return pointers;
    pointers.push(address as Pointer);
  }
}

/** From what Node itself is linked with, whichever C library that is. */
function bindMadvise(): Bindings["madvise"] {
  try {
    return koffi.load(null).func("int madvise(void* address, size_t length, int advice)");
  } catch {
    return null;
  }
}

function bindAll(
  file: string,
  declarations: Readonly<Record<string, string>>,
  functions: Partial<Record<string, unknown>>,
): void {
  let declaration = "";
  try {
    const library = koffi.load(file, { global: true });
    for (const [name, text] of Object.entries(declarations)) {
      declaration = text;
      functions[name] = library.func(text);
    }
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const where = declaration === "" ? "" : ` while binding \`${declaration}\``;
    throw new GgmlError("library-invalid", `load ggml from ${file}`, `${reason}${where}`, error);
  }
}
