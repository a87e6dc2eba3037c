import type { ServerResponse } from "node:http";
import type { BookedLine, LogBook } from "./log-book.ts";
import { Refusal } from "./problems.ts";

export interface LogQuery {
  /** As in the query; 100 unless given, at most 5000. */
  readonly tail: string | null;
  /** The header `Last-Event-ID`, which makes `tail` meaningless. */
  readonly afterId: string | string[] | undefined;
}

const DEFAULT_TAIL = 100;
const MAX_TAIL = 5000;

/** Sends what is in the log as server-sent events, and goes on with what is added, until the client leaves. */
export function serveLog(log: LogBook, { tail, afterId }: LogQuery, response: ServerResponse): void {
  const count = tail === null ? DEFAULT_TAIL : Number(tail);
  if (!Number.isInteger(count) || count < 0 || count > MAX_TAIL) throw new Refusal(422, "Request validation failed.");
  response.writeHead(200, { "Content-Type": "text/event-stream", "Cache-Control": "no-cache" });
  response.flushHeaders();
  const write = ({ line, ts }: BookedLine): void => {
    response.write(`id: ${ts}\ndata: ${JSON.stringify({ ts: ts.split("/")[0], source: "container", line })}\n\n`);
  };
  for (const line of log.read(count, typeof afterId === "string" ? afterId : null)) write(line);
  log.on("line", write);
  response.once("close", () => log.off("line", write));
}
