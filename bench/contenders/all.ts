import type { Contender } from "./contender.ts";
import { drizzle } from "./drizzle/plain.ts";
import { drizzlePrepared } from "./drizzle/prepared.ts";
import { kysely } from "./kysely.ts";
import { mikroOrm } from "./mikro-orm.ts";
import { multibind } from "./multibind.ts";
import { multibindPrepared } from "./multibind-prepared.ts";
import { prisma } from "./prisma/prisma.ts";
import { raw } from "./raw/raw.ts";
import { sequelize } from "./sequelize.ts";
import { typeorm } from "./typeorm.ts";

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
