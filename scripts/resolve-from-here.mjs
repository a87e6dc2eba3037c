// Lets a program outside this repository import the repository's packages: `node --import scripts/resolve-from-here.mjs`.
import { register } from "node:module";

const hooks = `
  import { createRequire } from "node:module";
  import { pathToFileURL } from "node:url";
  const require = createRequire(${JSON.stringify(import.meta.url)});
  export async function resolve(specifier, context, next) {
    try {
      return await next(specifier, context);
    } catch (error) {
      if (/^[./]|:/.test(specifier)) throw error;
      return { url: pathToFileURL(require.resolve(specifier)).href, shortCircuit: true };
    }
  }`;
register(`data:text/javascript,${encodeURIComponent(hooks)}`, import.meta.url);
