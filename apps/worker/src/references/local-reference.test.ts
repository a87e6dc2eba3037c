import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { scratchDir } from "../testing/scratch.ts";
import { localRefAudio } from "./local-reference.ts";

it("reads a path, and leaves names and addresses to the job", async () => {
  const workingDirectory = scratchDir();
  writeFileSync(join(workingDirectory, "me.wav"), "audio");
  const read = (text: string, transcript: string | null = null) =>
    localRefAudio(text, { transcript, workingDirectory });
  const clip = { audio_base64: Buffer.from("audio").toString("base64"), name: "me" };
  expect(await read("me.wav")).toEqual(clip);
  expect(await read("./me.wav", "Hi.")).toEqual({ ...clip, transcript: "Hi." });
  for (const text of ["slt", "slt,rms", "profile:male_en", "https://a.test/me.wav"])
    expect(await read(text)).toBe(text);
  expect(await read("https://a.test/me.wav", "Hi.")).toEqual({ url: "https://a.test/me.wav", transcript: "Hi." });
  await expect(read("slt", "Hi.")).rejects.toMatchObject({ code: "INVALID_INPUT" });
  await expect(read("nobody.wav")).rejects.toMatchObject({
    code: "INVALID_INPUT",
    message: expect.stringContaining("no such file"),
  });
  await expect(read("/")).rejects.toMatchObject({
    message: expect.stringContaining("it is a folder, not a regular file"),
  });
});
