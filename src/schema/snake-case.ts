/** Before a capital that follows a small letter or digit, or that begins a word within the name. */
const WORD_START = /(?<=[a-z0-9])(?=[A-Z])|(?<=.)(?=[A-Z][a-z])/g;

/**
 * Turns a name in camel case into snake case: `createdAt` → `created_at`, `HTTPServer` → `http_server`.
 *
 * @see Flask-SQLAlchemy: `camel_to_snake_case`
 */
export function snakeCase(name: string): string {
  return name.replace(WORD_START, "_").toLowerCase().replace(/^_+/, "");
}
