import type { LogEvent } from "./types.ts";

/** A line of a log that never ends must not fill the memory. */
const MAX_EVENT_CHARS = 1024 * 1024;

/**
 * The log lines of a stream of server-sent events. Events that are not log lines are left out, an unfinished last one too.
 *
 * @throws {Error} when a single event is longer than a mebibyte
 */
export async function* readLogEvents(body: AsyncIterable<Uint8Array>): AsyncGenerator<LogEvent> {
  const decoder = new TextDecoder();
  let rest = "";
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    // A carriage return at the end may be half of a line break.
    const usable = rest.endsWith("\r") ? rest.length - 1 : rest.length;
    const blocks = rest.slice(0, usable).replace(/\r\n?/g, "\n").split("\n\n");
    rest = `${blocks.pop() ?? ""}${rest.slice(usable)}`;
    for (const block of blocks) {
      const event = parseEvent(block);
      if (event !== null) yield event;
    }
    if (rest.length > MAX_EVENT_CHARS) throw new Error(`a log event is too long (limit ${MAX_EVENT_CHARS} characters)`);
  }
}

function parseEvent(block: string): LogEvent | null {
  let id: string | null = null;
  const data: string[] = [];
  for (const line of block.split("\n")) {
    const [, name = "", value = ""] = /^([^:]*)(?:: ?(.*))?$/.exec(line) ?? [];
    if (name === "id") id = value;
    if (name === "data") data.push(value);
  }
  if (data.length === 0) return null;
  try {
    const fields = JSON.parse(data.join("\n")) as Record<string, unknown>;
    const text = (key: string): string => (typeof fields[key] === "string" ? fields[key] : "");
    return { id, source: text("source"), line: text("line"), ts: text("ts") };
  } catch {
    return null;
  }
}
