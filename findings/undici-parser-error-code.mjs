// The errors of undici 7 (and of fetch() in Node 24) about answers that are not HTTP have no `code` anymore; in undici 6 it was HPE_….
// packages: undici@7.30.2 undici6@npm:undici@6.24.1
//
// The parser's result is a number, and its name is looked up as `constants.ERROR[ret]`. In undici 6 that table goes both ways, as TypeScript
// makes enums; since 7 it is a plain object from names to numbers, so the name is undefined. Code that tells a wrong port or scheme from a
// broken connection by the code no longer can; the error's name, HTTPParserError, still works. undici 8.13.1 does the same.
import { createServer } from "node:net";
import { Agent as Agent7, fetch as fetch7 } from "undici";
import { Agent as Agent6, fetch as fetch6 } from "undici6";

// As on the port of an SSH server.
const server = createServer((socket) => socket.on("error", () => undefined).end("SSH-2.0-OpenSSH_9.2\r\n"));
await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
const url = `http://127.0.0.1:${server.address().port}/`;

// Each with its own agent: the default one is shared by all copies of undici in a process.
async function causeOf(fetch, dispatcher) {
  const error = await fetch(url, { dispatcher }).catch((thrown) => thrown);
  const { name, code, message } = error.cause ?? {};
  return { name, code, message };
}

const [before, now] = [await causeOf(fetch6, new Agent6()), await causeOf(fetch7, new Agent7())];
server.close();
console.log("undici 6.24.1 ", JSON.stringify(before));
console.log("undici 7.30.2 ", JSON.stringify(now));
const holds = before.code === "HPE_INVALID_CONSTANT" && now.name === "HTTPParserError" && now.code === undefined;
console.log(holds ? "still so" : "no longer so");
process.exit(holds ? 0 : 1);
