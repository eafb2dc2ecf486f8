import type { JsonSchema } from './action-schema.ts';

const NAME = { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', patternErrorMessage: 'use letters, digits, dots, - and _' };
const ADDRESS = {
  type: 'string',
  pattern: '^[A-Za-z0-9:][A-Za-z0-9.:%_-]*$',
  patternErrorMessage: 'write a host name or an IP address, without user and port',
};
const FILES = { type: ['string', 'array'], items: { type: 'string', minLength: 1 }, minLength: 1, minItems: 1 };

/** The schema of inventory files. */
export function inventorySchema(): JsonSchema {
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'an inventory',
    description: 'The machines Ferry may work on, and what each one is to a runbook.',
    type: 'object',
    required: ['ferry', 'hosts'],
    additionalProperties: false,
    properties: {
      ferry: { const: 1, description: 'The version of this format.' },
      knownHosts: { ...FILES, description: 'Files with the host keys, from the folder of this file; those of ssh unless given.' },
      sshConfig: {
        type: 'string',
        minLength: 1,
        description:
          "The ssh configuration to follow, from the folder of this file, as with ssh -F; the user's and the system's unless given.",
      },
      hosts: {
        type: 'object',
        minProperties: 1,
        propertyNames: NAME,
        description: 'The machines, by a short name.',
        additionalProperties: {
          title: 'a host',
          type: ['object', 'null'],
          additionalProperties: false,
          properties: {
            address: {
              ...ADDRESS,
              description: 'Where Ferry connects to; the name itself, looked up in ~/.ssh/config, unless given.',
            },
            name: {
              ...ADDRESS,
              description: 'The name or address under which the other machines reach it; the address unless given.',
            },
            user: {
              type: 'string',
              minLength: 1,
              description: 'The user Ferry logs in as; root, or one who may become root by sudo.',
            },
            port: { type: 'integer', minimum: 1, maximum: 65535, description: 'The port of its ssh server; 22 unless given.' },
            identityFile: { ...FILES, description: 'Private keys, from the folder of this file; those in ~/.ssh unless given.' },
            jump: {
              type: 'string',
              pattern: '^[^\\s-][^\\s]*$',
              patternErrorMessage: 'write a host of this inventory, or [user@]host[:port], several between commas',
              description:
                'The machine to go through: a host of this inventory, or what ssh takes as ProxyJump. "none" goes straight, whatever ~/.ssh/config says.',
            },
            connection: { enum: ['ssh', 'local'], description: '"local" for the machine Ferry runs on.' },
          },
        },
      },
      roles: {
        type: 'object',
        additionalProperties: {
          type: ['string', 'array'],
          items: { type: 'string', minLength: 1 },
          minLength: 1,
          minItems: 1,
        },
        description: 'The host for each role of a runbook; a list of hosts for a role of many.',
      },
    },
  };
}
