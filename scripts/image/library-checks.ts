import { type ContainerHost, limitOptions } from "./container-host.ts";
import type { Target } from "./measured.ts";
import { expectThat, type Report } from "./report.ts";

/** The image's own loader finds all that the GPU library needs, with no setting, but for what the driver brings. */
export async function checkLoader(host: ContainerHost, image: string, target: Target, report: Report): Promise<void> {
  await report.check(`${target.name}: the loader finds the GPU library's libraries`, async () => {
    const options = ["run", "--rm", ...limitOptions(), "--entrypoint", "ldd", image];
    const { stdout, stderr } = await host.tryPodman([...options, `/${target.gpuLibrary}`]);
    const lines = stdout.split("\n").map((line) => line.trim().split(" => "));
    const lost = lines.filter(([, place]) => place === "not found").map(([name = ""]) => name);
    expectThat(lines.length > target.ofTheDriver.length, `the loader said ${stderr.slice(0, 300)}`);
    expectThat(lost.join() === target.ofTheDriver.join(), `it does not find ${lost.join(", ")}`);
    return lost.length === 0 ? "all" : `all but ${lost.join(", ")}`;
  });
}

interface DoctorLine {
  readonly name: string;
  readonly status: string;
  readonly detail: string;
}

/** The image with Mesa's drivers loads its GPU library and multiplies with it on Mesa's software device. */
export async function checkVulkanDevice(host: ContainerHost, image: string, report: Report): Promise<void> {
  await report.check("vulkan with Mesa's drivers: the GPU library computes on its software device", async () => {
    // The software device is hidden unless it is asked for.
    const options = ["run", "--rm", ...limitOptions(), "--env", "GGML_VK_VISIBLE_DEVICES=0", image];
    const { stdout, stderr } = await host.tryPodman([...options, "doctor", "--device", "vulkan", "--json"]);
    expectThat(stdout.startsWith("["), `higgs doctor said ${stderr.slice(-500)}`);
    const lines = JSON.parse(stdout) as DoctorLine[];
    const { status, detail } = lines.find(({ name }) => name === "device") ?? { status: "missing", detail: "" };
    expectThat(status === "ok" && detail.includes("llvmpipe"), `${status}: ${detail}`);
    return detail.slice(0, 60);
  });
}
