import { readdir, readFile } from "node:fs/promises";
import { HiggsError } from "@higgs-worker/base";
import { stripPython } from "../text/python-whitespace.ts";

/** `presets/scenes` of the package, two levels above this file both in `src` and in `dist`. */
const PRESETS_URL = new URL("../../presets/scenes/", import.meta.url);

const PRESET_NAME = /^[a-z0-9_]+$/;
const PRESET_SUFFIX = ".txt";

/** What `scene_prompt` says for no scene. */
const NO_SCENE = "empty";

export interface Scene {
  /** The scene's text, stripped; null for none. */
  readonly text: string | null;
  /** The preset it comes from; null for literal text and for none. */
  readonly preset: string | null;
}

/** The names of all scene presets, sorted. */
export async function listScenePresets(): Promise<string[]> {
  const files = await readdir(PRESETS_URL).catch((error: unknown) => {
    throw new HiggsError("INTERNAL", "list the scene presets", "their folder is missing from the package", {
      cause: error,
    });
  });
  return files
    .filter((file) => file.endsWith(PRESET_SUFFIX))
    .map((file) => file.slice(0, -PRESET_SUFFIX.length))
    .sort();
}

/**
 * What a `scene_prompt` means: the name of a preset gives its text, `empty`, blank text and null give none, anything else is
 * the scene's text itself. Differs from the reference, which ignores text that is not a file's path (spec model §11.16).
 */
export async function resolveScene(nameOrText: string | null): Promise<Scene> {
  const text = stripPython(nameOrText ?? "");
  if (text === "" || text === NO_SCENE) return { text: null, preset: null };
  if (!PRESET_NAME.test(text) || !(await listScenePresets()).includes(text)) return { text, preset: null };
  const preset = await readFile(new URL(`${text}${PRESET_SUFFIX}`, PRESETS_URL), "utf8");
  return { text: stripPython(preset), preset: text };
}
