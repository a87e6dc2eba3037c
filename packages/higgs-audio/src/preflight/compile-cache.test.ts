import { expect, it } from "vitest";
import { compileCacheVariables } from "./compile-cache.ts";

it("keeps what drivers compile in the cache folder, but where a user has set another place", () => {
  expect(compileCacheVariables({}, "/volume/cache")).toEqual({
    CUDA_CACHE_PATH: "/volume/cache/cuda",
    CUDA_CACHE_MAXSIZE: "4294967296",
    __GL_SHADER_DISK_CACHE: "1",
    __GL_SHADER_DISK_CACHE_PATH: "/volume/cache/vulkan",
    __GL_SHADER_DISK_CACHE_SKIP_CLEANUP: "1",
    MESA_SHADER_CACHE_DIR: "/volume/cache/vulkan",
  });
  const set = { CUDA_CACHE_PATH: "/mine", CUDA_CACHE_MAXSIZE: "1", MESA_SHADER_CACHE_DIR: "", HOME: "/root" };
  const variables = compileCacheVariables(set, "/volume/cache");
  expect(variables).not.toHaveProperty("CUDA_CACHE_PATH");
  expect(variables).not.toHaveProperty("CUDA_CACHE_MAXSIZE");
  expect(variables["MESA_SHADER_CACHE_DIR"]).toBe("/volume/cache/vulkan");
});
