import process, { argv, env, stderr, stdout } from "node:process";
import { runCommand } from "./command-line.ts";

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());

process.exitCode = await runCommand(argv.slice(2), {
  env,
  signal: stop.signal,
  writeOut: (text) => void stdout.write(text),
  writeError: (text) => void stderr.write(text),
});
