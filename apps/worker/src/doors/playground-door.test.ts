import { afterEach, describe, expect, it } from "vitest";
import { closeServedDoors, serveDoors } from "../testing/served-doors.ts";

afterEach(closeServedDoors);

const BROWSER = { accept: "text/html,application/xhtml+xml,*/*;q=0.8" };

describe("the playground", () => {
  it("opens at the server's address in a browser, and programs still get JSON there", async () => {
    const { url } = await serveDoors();
    const page = await fetch(url, { headers: BROWSER });
    expect(page.headers.get("content-type")).toBe("text/html; charset=utf-8");
    const html = await page.text();
    expect(html).toContain("Built with Higgs Audio V2");
    for (const [, file] of html.matchAll(/(?:src|href)="(playground\/[^"]+)"/g)) {
      expect((await fetch(`${url}/${file}`)).status, file).toBe(200);
    }
    expect((await fetch(url)).headers.get("content-type")).toMatch(/^application\/json/);
  });

  it("lets no script run that is not the server's own, and no other page frame it", async () => {
    const { url } = await serveDoors();
    for (const path of ["/", "/playground/main.js", "/playground/nothing.js"]) {
      const { headers } = await fetch(`${url}${path}`, { headers: BROWSER });
      const policy = headers.get("content-security-policy") ?? "";
      expect(policy).toContain("default-src 'none'; script-src 'self'");
      expect(policy).toContain("frame-ancestors 'none'");
      expect(policy).not.toMatch(/unsafe|\*|https?:/);
    }
  });

  it("gives only files of the page", async () => {
    const { url } = await serveDoors();
    for (const file of ["main.ts", "../package.json", "..%2Fpackage.json", "tsconfig.json", "main.d.ts", "nothing"]) {
      expect((await fetch(`${url}/playground/${file}`)).status, file).toBe(404);
    }
  });

  it("is open where the server has a key, says so, and never names it", async () => {
    const { url } = await serveDoors({ env: { HIGGS_API_KEY: "secret-key" } });
    expect((await fetch(url, { headers: BROWSER })).status).toBe(200);
    const facts = await fetch(`${url}/playground/facts.json`);
    const text = await facts.text();
    expect(JSON.parse(text)).toMatchObject({
      needsKey: true,
      scenes: expect.arrayContaining(["quiet_indoor"]) as unknown,
    });
    expect(text).not.toContain("secret-key");
    expect((await fetch(url)).status).toBe(401);
  });
});
