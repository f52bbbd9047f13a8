/** Writes the declarations that an application sees, for review: `npm run surface`. */
import { writeFile } from "node:fs/promises";
import { declarations, SNAPSHOT } from "../test/surface/declarations.ts";

await writeFile(SNAPSHOT, await declarations());
