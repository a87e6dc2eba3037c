import { DialogueForm } from "./dialogue-form.ts";
import { element } from "./dom.ts";
import { History } from "./history.ts";
import { clockText } from "./peaks.ts";
import { Player, playsLive } from "./player.ts";
import { fetchFacts, fetchSpeech, fetchVoices, type ServerFacts } from "./server.ts";
import { SNIPPET_LANGUAGES, snippetOf, type SnippetLanguage } from "./snippets.ts";
import { requestOf, type FormState, type SpeechRequestBody } from "./speech-request.ts";
import { samplesOf, SpeechTake } from "./speech-take.ts";
import { VoiceForm } from "./voice-form.ts";
import { Waveform } from "./waveform.ts";

const OWN_SCENE = "own words";
/** Seeds that JSON numbers of all languages hold. */
const SEED_LIMIT = 2 ** 31;

const form = element("speak-form", HTMLFormElement);
const status = element("status", HTMLElement);
const audio = element("audio", HTMLAudioElement);
const waveform = new Waveform(element("waveform", HTMLCanvasElement));
const player = new Player(audio);
const voiceForm = new VoiceForm(tell);
const dialogueForm = new DialogueForm(updateSnippet);
const history = new History({
  play: (take) => void showTake(take),
  repeat: (take) => fillForm(take.state),
});

let facts: ServerFacts = { model: "", needsKey: false, scenes: [], formats: ["mp3"], note: null };
let running: AbortController | null = null;

function stateOfForm(): FormState {
  const scene = element("scene", HTMLSelectElement).value;
  return {
    mode: modeOf(),
    text: element("text", HTMLTextAreaElement).value,
    textFormat: element("text-format", HTMLSelectElement).value,
    lines: dialogueForm.lines,
    voice: voiceForm.voice,
    clip: voiceForm.clip,
    scene: scene === OWN_SCENE ? element("scene-text", HTMLInputElement).value : scene,
    format: element("format", HTMLSelectElement).value,
    seed: numberIn("seed"),
    temperature: numberIn("temperature"),
    speed: numberIn("speed"),
    spellsOut: element("spell-out", HTMLInputElement).checked,
  };
}

function modeOf(): FormState["mode"] {
  return new FormData(form).get("mode") === "dialogue" ? "dialogue" : "text";
}

function numberIn(id: string): number | null {
  const { value, valueAsNumber } = element(id, HTMLInputElement);
  return value === "" || Number.isNaN(valueAsNumber) ? null : valueAsNumber;
}

function fillForm(state: FormState): void {
  const mode = form.elements.namedItem("mode");
  if (mode instanceof RadioNodeList) mode.value = state.mode;
  element("text", HTMLTextAreaElement).value = state.text;
  element("text-format", HTMLSelectElement).value = state.textFormat;
  dialogueForm.show(state.lines);
  const isPreset = state.scene === "" || facts.scenes.includes(state.scene);
  element("scene", HTMLSelectElement).value = isPreset ? state.scene : OWN_SCENE;
  element("scene-text", HTMLInputElement).value = isPreset ? "" : state.scene;
  element("format", HTMLSelectElement).value = state.format;
  for (const name of ["seed", "temperature", "speed"] as const) {
    element(name, HTMLInputElement).value = state[name] === null ? "" : String(state[name]);
  }
  element("spell-out", HTMLInputElement).checked = state.spellsOut;
  showPanels();
  updateSnippet();
  tell("The form holds that request again.");
}

function showPanels(): void {
  const mode = modeOf();
  element("text-panel", HTMLElement).hidden = mode !== "text";
  element("voice-panel", HTMLElement).hidden = mode !== "text";
  element("text-format-field", HTMLElement).hidden = mode !== "text";
  element("dialogue-panel", HTMLElement).hidden = mode !== "dialogue";
  element("scene-text", HTMLInputElement).hidden = element("scene", HTMLSelectElement).value !== OWN_SCENE;
}

function tell(text: string, isBad = false): void {
  status.textContent = text;
  status.classList.toggle("bad", isBad);
}

async function speak(): Promise<void> {
  // A seed that is drawn here can be shown, and the same speech had again.
  const given = stateOfForm();
  const state = { ...given, seed: given.seed ?? Math.floor(Math.random() * SEED_LIMIT) };
  let body: SpeechRequestBody;
  try {
    if (state.mode === "text" && state.clip !== null && !voiceForm.hasConsent) {
      throw new Error("Confirm that the person in the clip agreed.");
    }
    body = requestOf(state);
  } catch (error) {
    tell(messageOf(error), true);
    return;
  }
  running?.abort();
  const own = new AbortController();
  running = own;
  setBusy(true);
  waveform.clear();
  showTimings([]);
  element("download", HTMLAnchorElement).hidden = true;
  tell("Waiting for the first audio …");
  try {
    await receive(new SpeechTake(state, body), own.signal);
  } catch (error) {
    tell(own.signal.aborted ? "Stopped." : messageOf(error), !own.signal.aborted);
  } finally {
    if (running === own) {
      running = null;
      setBusy(false);
    }
  }
}

async function receive(take: SpeechTake, signal: AbortSignal): Promise<void> {
  const key = element("key", HTMLInputElement).value;
  const response = await fetchSpeech(take.body, key, signal);
  const playback = player.open(take.state.format);
  for await (const bytes of take.collect(response)) {
    tell(playsLive(take.state.format) ? "Speaking …" : "Receiving …");
    await playback.push(bytes);
    if (!take.isTimeToDraw) continue;
    waveform.show(await samplesOf(take), take.sampleRateHz, true);
    showTimings(take.facts(waveform.durationSeconds));
  }
  await playback.finish(take.file);
  waveform.show(await samplesOf(take), take.sampleRateHz, false);
  take.durationSeconds = waveform.durationSeconds;
  finished(take);
  history.add(take);
}

function finished(take: SpeechTake): void {
  showTimings(take.facts(take.durationSeconds));
  const link = element("download", HTMLAnchorElement);
  if (link.href !== "") URL.revokeObjectURL(link.href);
  link.href = URL.createObjectURL(take.file);
  link.download = take.fileName;
  link.hidden = false;
  tell(`Done: ${clockText(take.durationSeconds)} of speech.`);
}

async function showTake(take: SpeechTake): Promise<void> {
  running?.abort();
  await player.playFile(take.file);
  waveform.show(await samplesOf(take), take.sampleRateHz, false);
  finished(take);
}

function showTimings(rows: readonly (readonly [string, string])[]): void {
  element("timings", HTMLElement).replaceChildren(
    ...rows.map(([name, value]) => {
      const row = document.createElement("div");
      const [term, detail] = [document.createElement("dt"), document.createElement("dd")];
      term.textContent = name;
      detail.textContent = value;
      row.append(term, detail);
      return row;
    }),
  );
}

function setBusy(isBusy: boolean): void {
  element("stop", HTMLButtonElement).disabled = !isBusy;
  element("speak", HTMLButtonElement).textContent = isBusy ? "Speak again" : "Speak";
}

function updateSnippet(): void {
  const target = { origin: `${location.origin}${location.pathname.replace(/\/+$/, "")}`, needsKey: facts.needsKey };
  const snippet = element("snippet", HTMLElement);
  try {
    snippet.textContent = snippetOf(chosenLanguage(), requestOf(stateOfForm()), target);
  } catch (error) {
    snippet.textContent = `# ${messageOf(error)}`;
  }
}

function chosenLanguage(): SnippetLanguage {
  const { value } = document.querySelector<HTMLInputElement>('input[name="language"]:checked') ?? {};
  return SNIPPET_LANGUAGES.find((language) => language === value) ?? "curl";
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function fillSelect(select: HTMLSelectElement, options: readonly (readonly [value: string, label: string])[]): void {
  select.replaceChildren(...options.map(([value, label]) => new Option(label, value)));
}

async function loadServer(): Promise<void> {
  facts = await fetchFacts();
  element("model-name", HTMLElement).textContent = facts.model;
  element("key-field", HTMLElement).hidden = !facts.needsKey;
  const note = element("note", HTMLElement);
  note.hidden = facts.note === null;
  note.textContent = facts.note;
  fillSelect(element("scene", HTMLSelectElement), [
    ["", "the default: a quiet room"],
    ...facts.scenes.map((name) => [name, name.replaceAll("_", " ")] as const),
    [OWN_SCENE, "in my words …"],
  ]);
  fillSelect(
    element("format", HTMLSelectElement),
    facts.formats.map((name) => [name, playsLive(name) ? `${name} · live` : name]),
  );
  const voices = await fetchVoices();
  voiceForm.setVoices(voices);
  dialogueForm.setVoices(voices);
  showPanels();
  updateSnippet();
}

function switchTheme(): void {
  const { dataset } = document.documentElement;
  const isDark =
    (dataset["theme"] ?? (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light")) === "dark";
  dataset["theme"] = isDark ? "light" : "dark";
  waveform.setPlayed(audio.currentTime);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void speak();
});
form.addEventListener("input", () => {
  showPanels();
  updateSnippet();
});
form.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
});
element("stop", HTMLButtonElement).addEventListener("click", () => {
  running?.abort();
  audio.pause();
});
element("theme", HTMLButtonElement).addEventListener("click", switchTheme);
for (const radio of document.querySelectorAll('input[name="language"]'))
  radio.addEventListener("change", updateSnippet);
element("copy", HTMLButtonElement).addEventListener("click", () => {
  const text = element("snippet", HTMLElement).textContent ?? "";
  navigator.clipboard.writeText(text).then(
    () => tell("Copied."),
    () => tell("The browser did not allow copying.", true),
  );
});
audio.addEventListener("timeupdate", () => waveform.setPlayed(audio.currentTime));
element("waveform", HTMLCanvasElement).addEventListener("click", ({ offsetX, currentTarget }) => {
  const { clientWidth } = currentTarget as HTMLCanvasElement;
  audio.currentTime = Math.min(waveform.secondAt(offsetX / clientWidth), waveform.durationSeconds);
});
loadServer().catch((error: unknown) => tell(messageOf(error), true));
