/**
 * The page's element with this id.
 *
 * @throws {Error} if the page has none of this kind
 */
export function element<T extends HTMLElement>(id: string, kind: new () => T): T {
  const found = document.getElementById(id);
  if (!(found instanceof kind)) throw new Error(`the page has no ${kind.name} “${id}”`);
  return found;
}
