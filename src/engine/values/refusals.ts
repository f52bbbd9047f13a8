import { Refusal } from "../../schema/logical-type.ts";

/** A stored value is finer or larger than its JavaScript type can hold. */
export class PrecisionRefusal extends Refusal {}
