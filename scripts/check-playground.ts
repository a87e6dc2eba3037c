/**
 * Uses the playground as people do, in Chromium against `higgs serve` with the demo model: speaks, clones, records, reads the
 * page with axe. Pictures go to .cache/playground. `npm run check:playground`; needs Debian's chromium.
 */
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import axe from "axe-core";
import { chromium, type Browser, type Page } from "playwright-core";
import { startDemoServer } from "./serving/demo-server.ts";

const root = join(import.meta.dirname, "..");
const pictures = join(root, ".cache", "playground");
const clip = join(root, "demo-checkpoint", "voices", "slt.wav");
const clipWords = readFileSync(join(root, "demo-checkpoint", "voices", "slt.txt"), "utf8").trim();
const SENTENCE = "The little boy went down to the river.";
const KEY = "playground-check";

let passed = 0;
const failures: string[] = [];

function expectThat(what: string, isTrue: boolean, got: unknown = ""): void {
  if (isTrue) passed += 1;
  else failures.push(`${what} (got ${JSON.stringify(got)})`);
  console.log(`${isTrue ? "ok    " : "FAILED"} ${what}${isTrue ? "" : `: ${JSON.stringify(got)}`}`);
}

async function openPage(browser: Browser, url: string, colorScheme: "light" | "dark"): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1180, height: 900 }, colorScheme });
  const note = (problem: string): void => void failures.push(problem);
  page.on("pageerror", (error) => note(`the page threw: ${error.message}`));
  page.on("console", (message) => {
    // Refusals are provoked below; the browser logs each.
    const isProvoked = message.text().startsWith("Failed to load resource");
    if (message.type() === "error" && !isProvoked) note(`console: ${message.text()}`);
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(url) && !/^(blob|data):/.test(request.url()))
      note(`foreign request: ${request.url()}`);
  });
  await page.goto(url);
  await until(page, 'document.querySelector("#format").options.length > 0');
  return page;
}

/** Waits until an expression is true in the page. Playwright's own wait would need `eval`, which the page's policy forbids. */
async function until(page: Page, expression: string): Promise<void> {
  for (let tries = 0; tries < 1200; tries += 1) {
    if (await page.evaluate<boolean>(expression)) return;
    await page.waitForTimeout(100);
  }
  throw new Error(`the page never got so far: ${expression}`);
}

/** Waits until the speech is done or failed; gives the status line. */
async function spoken(page: Page): Promise<string> {
  await until(page, 'document.querySelector("#stop").disabled');
  return (await page.textContent("#status")) ?? "";
}

async function speak(page: Page): Promise<string> {
  await page.click("#speak");
  return spoken(page);
}

/** The share of the canvas's columns in each half that show a bar higher than the line of silence. */
async function loudColumns(page: Page): Promise<readonly [number, number]> {
  return page.evaluate(`(() => {
    const canvas = document.querySelector("#waveform");
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const counts = [0, 0];
    for (let x = 0; x < width; x += 1) {
      const y = Math.floor(height * 0.4);
      if (data[(y * width + x) * 4 + 3] > 128) counts[x < width / 2 ? 0 : 1] += 1;
    }
    return counts.map((count) => count / (width / 2));
  })()`);
}

async function violations(page: Page): Promise<readonly string[]> {
  await page.evaluate(axe.source);
  return page.evaluate(`axe.run().then(({ violations }) => violations.map(({ id, nodes }) =>
    id + ": " + nodes.map(({ target }) => target.join(" ")).join(", ")))`);
}

async function checkSpeaking(page: Page): Promise<void> {
  await page.fill("#text", SENTENCE);
  await page.selectOption("#voice", "slt");
  await page.fill("#seed", "7");
  await page.fill("#temperature", "0.3");
  await page.evaluate('document.querySelector("#audio").addEventListener("playing", () => (window.hasPlayed = true))');
  expectThat("mp3 is offered first, live", (await page.textContent("#format option")) === "mp3 · live");
  const status = await speak(page);
  expectThat("a sentence is spoken", status.startsWith("Done"), status);
  await until(page, "window.hasPlayed === true && document.querySelector('#audio').currentTime > 0.2");
  const shown = await page.evaluate<number>("document.querySelector('#audio').duration");
  expectThat("it is heard, and as long as it should be", shown > 1 && shown < 6, shown);
  const loud = await loudColumns(page);
  expectThat(
    "its waveform has sound in both halves",
    loud.every((share) => share > 0.1),
    loud,
  );
  const timings = (await page.textContent("#timings")) ?? "";
  expectThat(
    "its timings and its seed are shown",
    /First audio\d+ ms/.test(timings) && timings.includes("Seed7"),
    timings,
  );
  const snippet = (await page.textContent("#snippet")) ?? "";
  const { stdout } = spawnSync("sh", ["-c", snippet.replace(/-o \S+$/, "-o - | wc -c")], { encoding: "utf8" });
  expectThat("the curl line that is shown works", Number(stdout) > 5000, stdout);
  for (const format of await page.evaluate<string[]>(
    '[...document.querySelector("#format").options].map(({ value }) => value)',
  )) {
    await page.selectOption("#format", format);
    const state = await speak(page);
    const name = await page.getAttribute("#download", "download");
    expectThat(
      `${format} is spoken and can be downloaded`,
      state.startsWith("Done") && name === `speech-7.${format}`,
      state,
    );
  }
  await page.selectOption("#format", "mp3");
}

async function checkClips(page: Page): Promise<void> {
  await page.setInputFiles("#clip-file", clip);
  await page.waitForSelector("#clip:not([hidden])");
  expectThat("a clip needs its words", (await speak(page)).includes("agreed"), await page.textContent("#status"));
  await page.check("#consent");
  expectThat(
    "and consent alone is not enough",
    (await speak(page)).includes("what is said"),
    await page.textContent("#status"),
  );
  await page.fill("#clip-transcript", clipWords);
  const status = await speak(page);
  expectThat("an uploaded clip is cloned", status.startsWith("Done"), status);
  await page.click("#clip-remove");
  await page.click("#record");
  await page.waitForSelector('#record[aria-pressed="true"]');
  // The recording must be long enough to be cloned: that much of the fake microphone's time has to pass.
  await page.waitForTimeout(4000);
  await page.click("#record");
  await page.waitForSelector("#clip:not([hidden])");
  await page.fill("#clip-transcript", clipWords);
  await page.check("#consent");
  const recorded = await speak(page);
  expectThat("a recording from the microphone is cloned", recorded.startsWith("Done"), recorded);
  await page.screenshot({ path: join(pictures, "clip.png"), fullPage: true });
  await page.click("#clip-remove");
}

async function checkKeyboardAndDialogue(page: Page): Promise<void> {
  await page.focus("#text");
  await page.keyboard.press("Control+A");
  await page.keyboard.type("She gave me a book about the sea.");
  await page.keyboard.press("Control+Enter");
  expectThat("the keyboard alone speaks", (await spoken(page)).startsWith("Done"), await page.textContent("#status"));
  await page.locator('input[name="mode"][value="text"]').press("ArrowRight");
  await page.fill("#lines li:nth-child(1) textarea", "I have a small question.");
  await page.fill("#lines li:nth-child(2) textarea", "The sun is warm.");
  const status = await speak(page);
  expectThat("a dialogue of two voices is spoken", status.startsWith("Done"), status);
  await page.screenshot({ path: join(pictures, "dialogue.png"), fullPage: true });
  const rows = await page.locator("#history li").count();
  await page.locator("#history li").last().getByRole("button", { name: "Use again" }).click();
  expectThat(
    "the history brings the first request back",
    (await page.inputValue("#text")) === SENTENCE && rows > 5,
    rows,
  );
}

async function checkStop(page: Page): Promise<void> {
  await page.fill("#text", `${SENTENCE} `.repeat(12));
  await page.click("#speak");
  await until(page, 'document.querySelector("#status").textContent.startsWith("Speaking")');
  await page.click("#stop");
  expectThat("Stop ends the speech", (await spoken(page)) === "Stopped.", await page.textContent("#status"));
}

async function checkLooks(browser: Browser, url: string): Promise<void> {
  for (const scheme of ["light", "dark"] as const) {
    const page = await openPage(browser, url, scheme);
    await page.fill("#text", SENTENCE);
    await speak(page);
    await page.waitForTimeout(300);
    await page.screenshot({ path: join(pictures, `${scheme}.png`) });
    const found = await violations(page);
    expectThat(`axe finds nothing, ${scheme}`, found.length === 0, found);
    await page.setViewportSize({ width: 390, height: 1400 });
    const overflow = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
    expectThat(`a telephone shows it without scrolling sideways, ${scheme}`, overflow <= 0, overflow);
    await page.screenshot({ path: join(pictures, `telephone-${scheme}.png`) });
    await page.close();
  }
}

async function checkKey(browser: Browser): Promise<void> {
  const server = await startDemoServer({ HIGGS_API_KEY: KEY });
  const { url } = server;
  const page = await openPage(browser, url, "light");
  await page.fill("#text", SENTENCE);
  const refused = await speak(page);
  expectThat("without the server's key it says so", refused.includes("key"), refused);
  await page.fill("#key", KEY);
  const status = await speak(page);
  expectThat("with the key it speaks", status.startsWith("Done"), status);
  const snippet = (await page.textContent("#snippet")) ?? "";
  expectThat(
    "the key is not part of what is shown to copy",
    !snippet.includes(KEY) && snippet.includes("$HIGGS_API_KEY"),
  );
  await page.close();
  await server.stop();
}

const executablePath = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find((path) => existsSync(path));
if (executablePath === undefined) {
  console.log("SKIPPED: there is no Chromium here (Debian: apt-get install chromium)");
  console.log("0 passed, 0 failed, 1 skipped");
} else {
  mkdirSync(pictures, { recursive: true });
  const browser = await chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--autoplay-policy=no-user-gesture-required",
      "--use-fake-ui-for-media-stream",
      "--use-fake-device-for-media-stream",
      `--use-file-for-fake-audio-capture=${clip}`,
    ],
  });
  const server = await startDemoServer();
  const { url } = server;
  const policy = (await fetch(url, { headers: { accept: "text/html" } })).headers.get("content-security-policy") ?? "";
  expectThat(
    "the page has a strict policy",
    policy.includes("default-src 'none'") && !policy.includes("unsafe"),
    policy,
  );
  const page = await openPage(browser, url, "light");
  await checkSpeaking(page);
  await checkClips(page);
  await checkKeyboardAndDialogue(page);
  await checkStop(page);
  await checkLooks(browser, url);
  await checkKey(browser);
  await browser.close();
  await server.stop();
  for (const failure of failures) console.error(`failed: ${failure}`);
  console.log(`${passed} passed, ${failures.length} failed`);
  if (failures.length > 0) process.exitCode = 1;
}
