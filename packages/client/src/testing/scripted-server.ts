/** What a server got. */
export interface SeenRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: Headers;
  readonly body: string;
}

export interface ScriptedServer {
  readonly seen: SeenRequest[];
  readonly fetch: typeof fetch;
}

/** A server that gives its answers in turn, the last one again and again; an `Error` stands for a broken connection. */
export function scriptedServer(
  ...answers: readonly (Response | Error | ((request: SeenRequest) => Response | Promise<Response>))[]
): ScriptedServer {
  const seen: SeenRequest[] = [];
  const answer: typeof fetch = async (input, init) => {
    const request = new Request(input, init);
    const received = { method: request.method, url: request.url, headers: request.headers, body: await request.text() };
    seen.push(received);
    init?.signal?.throwIfAborted();
    const next = answers[Math.min(seen.length, answers.length) - 1];
    if (next === undefined) throw new Error("the server has no answer");
    if (next instanceof Error) throw next;
    return typeof next === "function" ? next(received) : next.clone();
  };
  return { seen, fetch: answer };
}
