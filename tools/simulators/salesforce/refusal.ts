/** A request refused as the service does: a status and an array of `{message, errorCode}`. */
export class Refusal extends Error {
  readonly status: number;
  readonly errorCode: string;
  readonly fields: readonly string[] | undefined;

  constructor(status: number, errorCode: string, message: string, fields?: readonly string[]) {
    super(message);
    this.status = status;
    this.errorCode = errorCode;
    this.fields = fields;
  }

  get body(): unknown {
    const { message, errorCode, fields } = this;
    return [{ message, errorCode, ...(fields === undefined ? {} : { fields }) }];
  }
}

export const notFound = (message = 'The requested resource does not exist'): Refusal =>
  new Refusal(404, 'NOT_FOUND', message);
export const malformedQuery = (message: string): Refusal => new Refusal(400, 'MALFORMED_QUERY', message);
export const invalidField = (message: string): Refusal => new Refusal(400, 'INVALID_FIELD', message);
