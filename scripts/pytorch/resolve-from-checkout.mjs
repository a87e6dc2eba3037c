/** Resolves this project's packages as a file of another checkout would, for what is imported from this one. */
let manifest = "";

export function initialize(data) {
  manifest = data;
}

export function resolve(specifier, context, next) {
  const isOutside = context.parentURL?.startsWith(new URL(".", manifest).href) !== true;
  const isOurs = specifier.startsWith("@higgs-worker/");
  return next(specifier, isOurs && isOutside ? { ...context, parentURL: manifest } : context);
}
