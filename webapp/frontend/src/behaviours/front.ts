/** One-line keys of a text's front matter (YAML between two lines of `---`), read and written with all else kept. */

export interface Line {
  value: string;
  /** Whether it can be written as one line: blocks, lists and values that go on below are left to the text. */
  simple: boolean;
}

const QUOTED = /^"((?:[^"\\]|\\.)*)"\s*(#.*)?$/;
const SINGLE = /^'((?:[^']|'')*)'\s*(#.*)?$/;
const PLAIN = /^([^\s"'|>&*!{}[\],#%@`-][^#]*?)?\s*(?:\s(#.*)|(?<=^|\s)(#.*))?$/;
const SAFE = /^[\p{L}][^:#"'\\{}[\]\n]*[^\s:#"'\\{}[\]]$/u;
const WORDS = /^(?:true|false|yes|no|on|off|null|y|n)$/i;

function bounds(lines: string[]): [number, number] | null {
  if (lines[0] !== "---") return null;
  const end = lines.findIndex((line, index) => index > 0 && line.trimEnd() === "---");
  return end < 0 ? null : [1, end];
}

function place(lines: string[], key: string): number {
  const found = bounds(lines);
  if (!found) return -1;
  return lines.findIndex((line, index) => index >= found[0] && index < found[1] && line.startsWith(`${key}:`));
}

function parsed(rest: string): { value: string; note: string } | null {
  const text = rest.trim();
  const double = QUOTED.exec(text);
  if (double) {
    try {
      return { value: JSON.parse(`"${double[1]}"`) as string, note: double[2] ?? "" };
    } catch {
      return null;
    }
  }
  const single = SINGLE.exec(text);
  if (single) return { value: (single[1] ?? "").replaceAll("''", "'"), note: single[2] ?? "" };
  const plain = PLAIN.exec(text);
  return plain ? { value: plain[1] ?? "", note: plain[2] ?? plain[3] ?? "" } : null;
}

function written(value: string): string {
  return SAFE.test(value) && !WORDS.test(value) ? value : JSON.stringify(value);
}

/** The value of a key, empty where it is not there. */
export function read(text: string, key: string): Line {
  const lines = text.split("\n");
  const index = place(lines, key);
  if (index < 0) return { value: "", simple: true };
  const found = parsed((lines[index] ?? "").slice(key.length + 1));
  const goesOn = /^\s+\S|^- /.test(lines[index + 1] ?? "");
  return found && !goesOn ? { value: found.value, simple: true } : { value: "", simple: false };
}

/** The text with another value of a key. A key that was not there comes behind the first of `after` that is. */
export function write(text: string, key: string, value: string, after: string[]): string {
  return writeRaw(text, key, written(value), after, value === "");
}

/** As `write`, of a value that is YAML already; `gone` takes the line away. */
export function writeRaw(text: string, key: string, yaml: string, after: string[], gone = false): string {
  const lines = text.split("\n");
  if (!bounds(lines)) lines.unshift("---", "---");
  const index = place(lines, key);
  if (index < 0) {
    const before = after.map((other) => place(lines, other)).find((found) => found >= 0) ?? 0;
    if (!gone) lines.splice(before + 1, 0, `${key}: ${yaml}`);
  } else {
    const note = parsed((lines[index] ?? "").slice(key.length + 1))?.note;
    if (gone && !note) lines.splice(index, 1);
    else lines[index] = `${key}: ${gone ? '""' : yaml}${note ? ` ${note}` : ""}`;
  }
  return lines.join("\n");
}
