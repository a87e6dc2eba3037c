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

/** The image with Mesa's drivers computes on Mesa's software device what the reference implementations do. */
export async function checkVulkanDevice(host: ContainerHost, image: string, report: Report): Promise<void> {
  await report.check("vulkan with Mesa's drivers: the model's golden values on its software device", async () => {
    // The software device is hidden unless it is asked for.
    const options = ["run", "--rm", ...limitOptions(), "--env", "GGML_VK_VISIBLE_DEVICES=0", image];
    const args = ["verify-golden", "--group", "lm", "--device", "vulkan"];
    const { stdout, stderr, exitCode } = await host.tryPodman([...options, ...args]);
    const last = stdout.trimEnd().split("\n").at(-1) ?? "";
    expectThat(exitCode === 0 && /^[1-9]\d* passed, 0 failed/.test(last), `${last} ${stderr.slice(-500)}`);
    return last;
  });
}
