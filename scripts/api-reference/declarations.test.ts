import { describe, expect, it } from "vitest";
import { exportedNames, findDeclaration } from "./declarations.ts";

const SOURCE = `
/** Not this one. */
interface Hidden {
    a: 1;
}
/**
 * Does a thing.
 *
 * @throws RangeError
 */
export declare function act(options?: {
    readonly a: string;
}): Promise<void>;
/** A kind; of thing. */
export type Kind = /** odd; } comment */ "a" | "b";
export declare class Box<T> {
    #private;
    /** Holds { braces. */
    readonly value: T;
    open(): void;
}
export declare const BOXES: readonly string[];
`;

describe("declarations", () => {
  it("reads names from an index file", () => {
    const index = 'export { a, type B } from "./x.ts";\nexport type { C } from "./y/z.ts";\nconst d = 1;';
    expect(exportedNames(index)).toEqual([
      { name: "a", module: "./x.ts" },
      { name: "B", module: "./x.ts" },
      { name: "C", module: "./y/z.ts" },
    ]);
  });

  it("finds each kind with its documentation, and nothing of what follows", () => {
    expect(findDeclaration(SOURCE, "act")).toEqual({
      name: "act",
      documentation: "Does a thing.\n\n@throws RangeError",
      code: "function act(options?: {\n    readonly a: string;\n}): Promise<void>;",
    });
    expect(findDeclaration(SOURCE, "Kind").code).toBe('type Kind = /** odd; } comment */ "a" | "b";');
    expect(findDeclaration(SOURCE, "Box")).toEqual({
      name: "Box",
      documentation: "",
      code: "class Box<T> {\n    /** Holds { braces. */\n    readonly value: T;\n    open(): void;\n}",
    });
    expect(findDeclaration(SOURCE, "BOXES").code).toBe("const BOXES: readonly string[];");
  });

  it("says what is missing", () => {
    expect(() => findDeclaration(SOURCE, "Nothing")).toThrow("Cannot find the declaration of Nothing");
  });
});
