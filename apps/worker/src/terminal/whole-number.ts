import { InvalidArgumentError } from "commander";

/** Reads a flag's value; commander tells the user what is allowed. */
export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (/^\d+$/.test(text) && value >= min && value <= max) return value;
    throw new InvalidArgumentError(`Allowed are whole numbers ${min} … ${max}.`);
  };
}
