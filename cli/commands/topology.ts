import { Command } from 'commander';
import { discoverServices } from '#runtime/discover.ts';
import { topologyOf, topologyText } from '#runtime/topology.ts';
import { withCommonOptions, type CommonOptions } from '../settings.ts';

export function topologyCommand(): Command {
  return withCommonOptions(new Command('topology'))
    .description('The map of the river: every service with what it reads, answers and publishes')
    .action(async (options: CommonOptions) => {
      const services = await discoverServices();
      if (!options.json) return console.log(topologyText(services));
      console.log(JSON.stringify({ ...topologyOf(services), services: services.map(({ declared }) => declared) }));
    });
}
