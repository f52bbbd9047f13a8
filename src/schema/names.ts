import { createHash } from "node:crypto";

/** Why no database can keep a name as it is; `undefined` for one that some can. */
export function brokenName(name: string): string | undefined {
  if (name.includes("\0")) return "it contains a NUL character";
  return name.isWellFormed() ? undefined : "it contains half of a surrogate pair, which is no character";
}

/** How many bytes a name has if these are more than `most`; `undefined` if they are not. */
export function bytesBeyond(most: number, name: string): number | undefined {
  // No character takes more than three bytes for each of its UTF-16 units.
  if (name.length * 3 <= most) return undefined;
  const bytes = Buffer.byteLength(name);
  return bytes > most ? bytes : undefined;
}

/** A short hash of a text. */
export function shortHash(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 8);
}

/** Shortens a name to so many bytes. The hash at its end keeps it apart from others with the same beginning. */
export function shortenedName(name: string, bytes: number): string {
  if (Buffer.byteLength(name) <= bytes) return name;
  const end = `_${shortHash(name)}`;
  let kept = "";
  let size = end.length;
  for (const character of name) {
    size += Buffer.byteLength(character);
    if (size > bytes) break;
    kept += character;
  }
  return kept + end;
}
