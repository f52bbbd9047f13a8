/** The parts of a URL that decide whether it contains a `file:` URI. */
interface PathAndQuery {
  readonly database: string | undefined;
  readonly query: Readonly<Record<string, string | undefined>>;
}

/** Whether the path is a `file:` URI rather than a name that happens to begin so. */
export function isFileUri(url: PathAndQuery): boolean {
  return (
    url.database?.startsWith("file:") === true &&
    ["true", "1", "yes", "on"].includes(url.query["uri"]?.toLowerCase() ?? "")
  );
}

/** Makes a path the path of a `file:` URI. */
export function fileUri(path: string): string {
  return `file:${path.split("/").map(encodeURIComponent).join("/")}`;
}
