/**
 * Types that the declarations of an application mention, and that its code need not name.
 *
 * @module
 */
export type { AbstractExtend, Child, PlainExtend, PolymorphicExtend } from "./model/extend-types.ts";
export type { AbstractClass, AliasOf, ExtendOf, ModelStatics, OwnStatics } from "./model/model-types.ts";
export type {
  BelongsToOptions,
  ColumnsOf,
  HasManyOptions,
  HasOneOptions,
  IncludeOf,
  OnlyRelations,
  RelatedTo,
  Relater,
  RelationFacts,
  RelationNames,
  StatementOf,
  ToManyFact,
  ToOneFact,
  Unloaded,
  ViewFact,
} from "./model/relations/relation-types.ts";
export type { Given, ParameterExpression, UnknownParameters } from "./query/prepared/parameters.ts";
export type { Preparable, Prepared } from "./query/prepared/prepare.ts";
export type { AcrossOptions } from "./query/select/relation-filter.ts";
export type {
  Across,
  FirstOf,
  SelectIn,
  SelectOf,
  WithIncluded,
  WithOptionalTable,
  WithTable,
} from "./query/select/select-types.ts";
