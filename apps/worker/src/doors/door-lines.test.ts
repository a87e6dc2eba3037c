import { expect, it } from "vitest";
import { WebSocket } from "ws";
import { closeServedDoors, serveDoors } from "../testing/served-doors.ts";
import { doorLines } from "./door-lines.ts";

it("each curl line works as it is printed, and each address exists", async () => {
  const { url } = await serveDoors();
  const lines = doorLines(url, { hasKey: false });
  const printed = lines
    .trimEnd()
    .split("\n")
    .map((line) => line.slice(11));
  expect(printed.length).toBeGreaterThan(3);
  const statuses = printed.map(async (line) => {
    const [, address = ""] = /((?:http|ws):[^\s']+)/.exec(line) ?? [];
    if (address.startsWith("ws:")) return statusOfSocket(address);
    const [, body] = / -d '([^']*)'/.exec(line) ?? [];
    const page: RequestInit = { headers: { accept: "text/html" } };
    const post = { method: "POST", headers: { "content-type": "application/json" } };
    return (await fetch(address, body === undefined ? page : { ...post, body })).status;
  });
  expect(new Set(await Promise.all(statuses))).toEqual(new Set([200]));
  await closeServedDoors();
});

it("they say where the key goes when there is one, and never what it is", () => {
  const lines = doorLines("http://localhost:8000", { hasKey: true })
    .split("\n")
    .filter((line) => line.includes("curl "));
  expect(lines.every((line) => line.includes("$HIGGS_API_KEY"))).toBe(true);
});

/** 200 for an address that takes a WebSocket. */
function statusOfSocket(address: string): Promise<number> {
  return new Promise((resolve) => {
    const socket = new WebSocket(address);
    socket.addEventListener("open", () => {
      socket.close();
      resolve(200);
    });
    socket.addEventListener("error", () => resolve(0));
  });
}
