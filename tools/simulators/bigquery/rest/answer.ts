/** How a route answers: what `act` gives as JSON, nothing for null, and what it throws in the shape of the service's errors. */
import type { Request, RequestHandler } from 'express';
import type { Json } from '../json.ts';

/** Makes a route's handler: what `act` gives is the answer's body, null an empty one. */
export type Answer = (act: (request: Request, body: Json) => Promise<Json | null>) => RequestHandler;
