import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { MultibindError, sql } from "../../src/index.ts";
import { MISTAKES, type Mistake, mistakesDb } from "./mistakes.ts";

const PAGE = join(import.meta.dirname, "../../docs/mistakes.md");

const INTRODUCTION = `# First mistakes

The mistakes of the first weeks, each with the class of its error, its \`code\` and its message, on SQLite. Names are those of
the examples: models \`user\`, \`post\` and \`member\` on the default bind, \`login\` on bind "auth". The paragraphs of the codes are
in [errors](errors.md). A test makes each mistake and compares this page.
`;

/** The error of a mistake, made in a session of its own. */
async function errorOf(make: Mistake): Promise<MultibindError> {
  const app = mistakesDb.init({ databaseUri: "sqlite://", binds: { auth: "sqlite://" }, onUncommitted: "ignore" });
  await app.createAll();
  await app.transaction(async () => {
    await mistakesDb.session.execute(sql`insert into user (id, name) values (1, 'ada'), (2, 'eve')`);
  });
  const session = app.session();
  try {
    await make({ app, session });
  } catch (error) {
    assert.ok(error instanceof MultibindError, String(error));
    return error;
  } finally {
    await session.close().catch(() => {});
    await app.dispose();
  }
  assert.fail("the mistake went unnoticed");
}

/** A message without what differs from run to run: numbers of sessions, places in files. */
function steady(message: string): string {
  return message.replace(/\b(session|Multibind) \d+/g, "$1 1").replace(/ at \S+:\d+:\d+/, " at app.ts:1:1");
}

async function page(): Promise<string> {
  const parts = [INTRODUCTION];
  for (const [room, mistakes] of Object.entries(MISTAKES)) {
    parts.push(`## ${room}\n`);
    for (const [title, make] of Object.entries(mistakes)) {
      const error = await errorOf(make).catch((reason: unknown) => assert.fail(`${title}: ${String(reason)}`));
      assert.match(error.message, /[.)?]$/, title);
      assert.doesNotMatch(`${error.message} ${JSON.stringify(error)}`, /secret|tiger|longer than it may be/, title);
      parts.push(`**${title}** [\`${error.code}\`](errors.md#${error.code.toLowerCase()})  `);
      parts.push(`\`${error.name}: ${steady(error.message).replaceAll("`", "'")}\`\n`);
    }
  }
  return parts.join("\n");
}

test("first mistakes get the messages that the documentation shows", async () => {
  const made = await page();
  assert.ok(Object.values(MISTAKES).flatMap((mistakes) => Object.keys(mistakes)).length >= 60);
  // `MULTIBIND_WRITE_DOCS=1` writes the page after a message has changed.
  if (process.env["MULTIBIND_WRITE_DOCS"] === "1") await writeFile(PAGE, made);
  assert.equal(await readFile(PAGE, "utf8"), made);
});
