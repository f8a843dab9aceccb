/** What the REST service refuses, in the shape of its error body: an HTTP status, a reason from Google's table of reasons, and a message. */
export class Refused extends Error {
  readonly status: number;
  readonly reason: string;
  readonly location: string | null;

  constructor(status: number, reason: string, message: string, location: string | null = null) {
    super(message);
    this.name = 'Refused';
    this.status = status;
    this.reason = reason;
    this.location = location;
  }
}

export function invalid(message: string, location: string | null = null): Refused {
  return new Refused(400, 'invalid', message, location);
}

/** A query that cannot be run as it is written. */
export function invalidQuery(message: string): Refused {
  return new Refused(400, 'invalidQuery', message, 'query');
}

export function notFound(message: string): Refused {
  return new Refused(404, 'notFound', message);
}

export function duplicate(message: string): Refused {
  return new Refused(409, 'duplicate', message);
}

/** What Google has and this simulator does not: never a silent half-truth. */
export function notSimulated(what: string): Refused {
  return new Refused(501, 'notImplemented', `${what} is not simulated.`);
}
