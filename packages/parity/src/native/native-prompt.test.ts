import { describe, expect, it } from "vitest";
import { type MessagePart } from "@higgs-worker/higgs-audio/parts";
import { createSmallTokenizer } from "@higgs-worker/higgs-audio/testing";
import { buildNativePrompt, type NativeMessage } from "./native-prompt.ts";

const tokenizer = createSmallTokenizer();
const options = { numCodebooks: 8 };
const text = (content: string): MessagePart => ({ kind: "text", text: content });
const clip = (frames: number): MessagePart => ({
  kind: "clip",
  codes: Array.from({ length: 8 }, () => new Int32Array(frames)),
});
const CLIP = "<|audio_out_bos|><|AUDIO_OUT|><|audio_eos|>";
const SYSTEM: NativeMessage = { role: "system", content: [text(" S ")] };
const START = "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nS";
const END = "<|start_header_id|>assistant<|end_header_id|>\n\n<|audio_out_bos|>";
const user = (content: string) => `<|start_header_id|>user<|end_header_id|>\n\n${content}<|eot_id|>`;

const render = (...messages: NativeMessage[]) => buildNativePrompt(messages, tokenizer, options).text;

describe("buildNativePrompt: the template of spec model §5.6", () => {
  it("trims texts as Python does and forces audio", () => {
    expect(render(SYSTEM, { role: "user", content: "\u0085 a \n\n" })).toBe(`${START}<|eot_id|>${user("a")}${END}`);
    expect(render(SYSTEM, { role: "user", content: [text(" a "), text("\ufeffb ")] })).toBe(
      `${START}<|eot_id|>${user("a\ufeffb")}${END}`,
    );
  });

  const scene = (...content: MessagePart[]): string => {
    const rendered = render(SYSTEM, { role: "scene", content });
    const open = `${START}\n\n<|scene_desc_start|>\n`;
    const close = `\n<|scene_desc_end|><|eot_id|>${END}`;
    expect(rendered.startsWith(open) && rendered.endsWith(close)).toBe(true);
    return rendered.slice(open.length, -close.length);
  };

  it("separates the items of a scene by its own rules", () => {
    expect(scene(text(" one "))).toBe("one");
    expect(scene(text("room"), text("SPEAKER0: f"), text("SPEAKER1: m"))).toBe("room\n\nSPEAKER0: f\nSPEAKER1: m");
    expect(scene(text("room"), text("SPEAKER0:"), clip(1), text("SPEAKER1:"), clip(1))).toBe(
      `room\n\nSPEAKER0: ${CLIP}\nSPEAKER1: ${CLIP}`,
    );
    // A first text is followed by a blank line even before a clip.
    expect(scene(text("SPEAKER0:"), clip(1), text("SPEAKER1:"), clip(1))).toBe(
      `SPEAKER0:\n\n ${CLIP}\nSPEAKER1: ${CLIP}`,
    );
    expect(scene(clip(1), text("after"), text("more"), clip(1))).toBe(` ${CLIP}\nafter\nmore ${CLIP}`);
    expect(render(SYSTEM, { role: "scene", content: " whole " })).toContain(
      "<|scene_desc_start|>\nwhole\n<|scene_desc_end|>",
    );
  });

  it("gives T + 9 positions to a clip of T frames, the last 7 as delay", () => {
    const { ids, clips } = buildNativePrompt([SYSTEM, { role: "assistant", content: [clip(3)] }], tokenizer, options);
    const { audioOut, audioDelay } = tokenizer.specialIds;
    const places = ids.filter((id) => id === audioOut || id === audioDelay);
    expect(places).toEqual([...Array(5).fill(audioOut), ...Array(7).fill(audioDelay)]);
    expect(clips).toHaveLength(1);
  });

  it.each([
    ["no turn at all", []],
    ["a first turn that is not system", [{ role: "user", content: "a" }]],
    ["a system turn without text", [{ role: "system", content: [clip(1)] }]],
    ["an assistant turn of text", [SYSTEM, { role: "assistant", content: "a" }]],
    ["an assistant turn of two clips", [SYSTEM, { role: "assistant", content: [clip(1), clip(1)] }]],
    ["a clip in a user turn", [SYSTEM, { role: "user", content: [clip(1)] }]],
    ["a placeholder in a text", [SYSTEM, { role: "user", content: "<|AUDIO_OUT|>" }]],
  ] satisfies [string, NativeMessage[]][])("refuses %s", (_name, messages) => {
    expect(() => buildNativePrompt(messages, tokenizer, options)).toThrowError(
      expect.objectContaining({ code: "INVALID_INPUT" }),
    );
  });
});
