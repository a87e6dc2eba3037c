// ggml's CPU device calls all memory of the machine free, whatever is in use.
// packages: @node-llama-cpp/linux-x64@3.22.1 koffi@3.3.4
//
// ggml_backend_dev_memory gives the total twice for the CPU; GPU backends ask their driver. Whoever shows free memory of "the device" must
// ask the system when the device is the CPU. Here, half a gigabyte is filled in between, which the system notices.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import koffi from "koffi";

const folder = join(import.meta.dirname, "node_modules/@node-llama-cpp/linux-x64/bins/linux-x64");
const registry = readdirSync(folder).find((name) => /^libggml\.(v.*\.)?so$/.test(name));
const base = koffi.load(join(folder, "libggml-base.so"), { global: true });
const ggml = koffi.load(join(folder, registry), { global: true });
ggml.func("void ggml_backend_load_all_from_path(const char* path)")(folder);
const CPU = 0;
const device = ggml.func("void* ggml_backend_dev_by_type(int type)")(CPU);
const ask = base.func("void ggml_backend_dev_memory(void* device, _Out_ size_t* free, _Out_ size_t* total)");
const memory = () => {
  const [free, total] = [[0], [0]];
  ask(device, free, total);
  return { free: free[0], total: total[0] };
};

const before = { ggml: memory(), system: process.availableMemory() };
const block = Buffer.alloc(512 * 1024 * 1024, 1);
const after = { ggml: memory(), system: process.availableMemory() };
console.log(`ggml:   ${before.ggml.free} of ${before.ggml.total} free, then ${after.ggml.free}`);
console.log(`system: ${before.system} free, then ${after.system} (${block.length} bytes are in use)`);
const isStillSo = after.ggml.free === after.ggml.total && after.system < before.system;
console.log(isStillSo ? "still so" : "no longer so");
process.exit(isStillSo ? 0 : 1);
