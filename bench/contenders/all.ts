import type { Contender } from "./contender.ts";
import { drizzle } from "./drizzle/plain.ts";
import { drizzlePrepared } from "./drizzle/prepared.ts";
import { kysely } from "./kysely.ts";
import { mikroOrm } from "./mikro-orm.ts";
import { multibind, multibindBuild } from "./multibind.ts";
import { multibindPrepared } from "./multibind-prepared.ts";
import { prisma } from "./prisma/prisma.ts";
import { raw } from "./raw/raw.ts";
import { sequelize } from "./sequelize.ts";
import { typeorm } from "./typeorm.ts";

/** The contenders, and builds of multibind beside them, each given as `NAME=FOLDER`. */
export function contendersWith(builds: readonly string[]): readonly Contender[] {
  const added = builds.map((build) => {
    const at = build.indexOf("=");
    if (at < 1) throw new Error(`--build expects NAME=FOLDER, but got "${build}".`);
    return multibindBuild(build.slice(0, at), build.slice(at + 1));
  });
  return [...CONTENDERS, ...added];
}

/** Everybody, in the order of the report. The first is what the others are compared with. */
export const CONTENDERS: readonly Contender[] = [
  raw,
  multibind,
  multibindPrepared,
  kysely,
  drizzle,
  drizzlePrepared,
  mikroOrm,
  typeorm,
  sequelize,
  prisma,
];
