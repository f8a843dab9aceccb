/** The simulated Dialpad's part of the control door: whom it calls, and what goes wrong. */
import type { Express } from 'express';
import type { DialpadVendor } from '../dialpad/index.ts';
import { bodyOf, number, text } from './input.ts';

const RATES = ['dropRate', 'duplicateRate', 'shuffleMs', 'equalTimeRate', 'earlyEndRate'] as const;

export function controlDialpad(app: Express, dialpad: DialpadVendor): void {
  app.post('/__control/webhooks', (req, res) => {
    dialpad.subscribe(text(bodyOf(req.body, ['url']), 'url'));
    res.json({});
  });
  app.get('/__control/dialpad/traffic', (_req, res) => {
    const counts: Record<string, number> = {};
    for (const { method, path } of dialpad.simulator.traffic) {
      const operation = `${method} ${path.replaceAll(/\d{5,}/g, '{id}')}`;
      counts[operation] = (counts[operation] ?? 0) + 1;
    }
    res.json({ counts, mutating: Object.keys(counts).filter((operation) => !operation.startsWith('GET ')) });
  });
  app.post('/__control/dialpad', (req, res) => {
    const { faults } = dialpad.simulator;
    const body = bodyOf(req.body, [...RATES, ...Object.keys(faults.nextLists)]);
    for (const name of RATES) faults[name] = number(body, name, faults[name]);
    for (const name of Object.keys(faults.nextLists) as (keyof typeof faults.nextLists)[])
      faults.nextLists[name] = number(body, name, faults.nextLists[name]);
    res.json(faults);
  });
}
