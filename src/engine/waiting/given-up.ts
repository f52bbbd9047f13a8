/** The error of a statement whose connection was given up. Its code is that of a network that does not answer. */
class GivenUp extends Error {
  readonly code = "ETIMEDOUT";
}

/** The error of a connection that is given up. */
export function givenUp(why: string, cause?: unknown): Error {
  return new GivenUp(`${why}, so the connection was given up`, { cause });
}

/** Whether it is such an error. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof GivenUp;
}
