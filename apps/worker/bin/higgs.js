#!/usr/bin/env node
import module from "node:module";

// Compiled code is kept in the temporary folder, which halves the start-up (Node 22.8 and newer; a folder that cannot be
// written to is not an error).
module.enableCompileCache?.();
await import("../dist/main.js");
