/** The JSON Schema of modelled designs, made from the same knob tables as their options. */

import {
  instanceLimitKnobs,
  knobs as serviceKnobs,
  shedKnobs,
} from '../blocks/compute/service/config.ts';
import {
  knobs as balancerKnobs,
  healthKnobs,
  standbyKnobs,
} from '../blocks/edge/balancer/config.ts';
import {
  cacheKnobs,
  compressKnobs,
  connectionsKnobs,
  corsKnobs,
  floodKnobs,
  knobs as gatewayKnobs,
  identityKnobs,
  jwtKnobs,
  keysKnobs,
  limitKnobs,
  limitsKnobs,
  partKnobs,
  quotaKnobs,
  redirectStatuses,
  requestsKnobs,
  sharedLimitKnobs,
  socketsKnobs,
  traceKnobs,
  usageKnobs,
  wafFields,
  wafKnobs,
  wafOperators,
  wafTransformations,
} from '../blocks/edge/gateway/config.ts';
import {
  cacheKnobs as proxyCacheKnobs,
  knobs as proxyKnobs,
  limitKnobs as proxyLimitKnobs,
  tunnelsKnobs as proxyTunnelsKnobs,
  verdicts,
} from '../blocks/edge/proxy/config.ts';
import { knobs as limiterKnobs } from '../blocks/resilience/limiter/config.ts';
import { knobs as usersKnobs } from '../blocks/workload/users/config.ts';
import type { Knobs } from '../kit/config.ts';
import { adaptiveLimitKnobs } from '../parts/adaptive-limit.ts';
import { policyTables } from '../path/policy.ts';
import { dataKinds } from './json.ts';

/** JSON Schema (draft 2020-12) of a modelled design, from the knob tables. */
export function designSchema(): object {
  const reference = (name: string): object => ({ $ref: `#/$defs/${name}` });
  const duration = { type: 'string', pattern: '^\\d+(\\.\\d+)?(us|ms|s|m|min|h|d)$' };
  const only = (name: string, value: object): object => ({
    type: 'object',
    properties: { [name]: value },
    required: [name],
    additionalProperties: false,
  });
  const record = (
    properties: Readonly<Record<string, object>>,
    required: readonly string[] = [],
  ): object => ({
    type: 'object',
    properties,
    required,
    additionalProperties: false,
  });
  const stages = Object.entries(policyTables).flatMap(([table, knobs]): [string, object][] => {
    if (table === 'policy') return [];
    const name = table.slice('policy.'.length);
    // Plain text: a block that stands in goes by its name.
    const besides = name === 'fallback' ? { service: { type: 'string' } } : {};
    return [[name, record({ ...fromKnobs(knobs), ...besides })]];
  });
  const policy = record({ ...fromKnobs(policyTables.policy), ...Object.fromEntries(stages) });
  const named = (
    kind: string,
    properties: Readonly<Record<string, object>>,
    required: readonly string[],
  ) =>
    record({ kind: { const: kind }, name: { type: 'string' }, ...properties }, [
      'kind',
      'name',
      ...required,
    ]);
  const text = { type: 'string' };
  const texts = { type: 'array', items: { type: 'string' } };
  const conditions = { type: 'object', additionalProperties: { type: ['string', 'boolean'] } };
  const rateText = { type: 'string', pattern: '^\\d+(\\.\\d+)?\\s*/\\s*(ms|s|m|min|h|d)$' };
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Loadpath design',
    description: 'A modelled system: who calls whom, what it costs, and who loads it.',
    ...record(
      {
        $schema: { type: 'string' },
        name: { type: 'string', pattern: '^[a-zA-Z][a-zA-Z0-9-]*$' },
        zones: {
          type: 'array',
          items: {
            anyOf: [
              { type: 'string' },
              record({ name: { type: 'string' }, region: { type: 'string' } }, ['name', 'region']),
            ],
          },
        },
        blocks: {
          type: 'array',
          items: { oneOf: dataKinds.map(reference) },
        },
        entry: { type: 'string', description: 'The block that users talk to.' },
        users: reference('users'),
        objectives: record({
          p50: duration,
          p90: duration,
          p99: duration,
          p999: duration,
          availability: { type: 'number', exclusiveMinimum: 0, maximum: 1 },
          throughput: rateText,
        }),
        faults: {
          type: 'array',
          items: { type: 'string' },
          description: "Sentences: 'kill api/1 at 30s, restart after 5s'.",
        },
        studio: {
          ...record({
            positions: {
              type: 'object',
              additionalProperties: { type: 'array', items: { type: 'number' } },
              description: 'By block: across and down, where it stands on the drawing board.',
            },
          }),
          description: 'What Studio keeps for its drawing board. No run looks at it.',
        },
      },
      ['name', 'blocks', 'entry'],
    ),
    $defs: {
      service: named(
        'service',
        {
          ...fromKnobs(serviceKnobs),
          cost: reference('cost'),
          calls: { type: 'array', items: reference('step') },
          weights: { type: 'array', items: { type: 'number', exclusiveMinimum: 0 } },
          limit: record(fromKnobs(instanceLimitKnobs)),
          shed: record(fromKnobs(shedKnobs)),
          concurrency: record(fromKnobs(adaptiveLimitKnobs)),
          policy,
        },
        [],
      ),
      external: named(
        'external',
        { url: { type: 'string' }, latency: reference('draw'), policy },
        [],
      ),
      gateway: named(
        'gateway',
        {
          ...fromKnobs(gatewayKnobs),
          routes: {
            anyOf: [
              { type: 'object', additionalProperties: { type: 'string' } },
              { type: 'array', items: reference('route') },
            ],
          },
          limit: record(fromKnobs(limitKnobs)),
          limits: reference('limits'),
          auth: { anyOf: [reference('scheme'), { type: 'array', items: reference('scheme') }] },
          identity: record(fromKnobs(identityKnobs)),
          quotas: { type: 'object', additionalProperties: record(fromKnobs(quotaKnobs)) },
          usage: record(fromKnobs(usageKnobs)),
          locations: { type: 'object', additionalProperties: texts },
          requests: record({ ...fromKnobs(requestsKnobs), hosts: texts }),
          flood: record(fromKnobs(floodKnobs)),
          waf: record({
            ...fromKnobs(wafKnobs),
            except: texts,
            rules: {
              type: 'array',
              items: record(
                {
                  id: text,
                  on: { type: 'array', items: { enum: wafFields } },
                  transform: { type: 'array', items: { enum: wafTransformations } },
                  op: { enum: wafOperators },
                  value: text,
                  score: { type: 'integer', minimum: 1 },
                },
                ['id', 'on', 'transform', 'op', 'value', 'score'],
              ),
            },
          }),
          cors: record(
            {
              ...fromKnobs(corsKnobs),
              origins: texts,
              methods: texts,
              headers: texts,
              exposed: texts,
            },
            ['origins'],
          ),
          cache: record(fromKnobs(cacheKnobs)),
          compress: record(fromKnobs(compressKnobs)),
          trace: record(fromKnobs(traceKnobs)),
          sockets: record(fromKnobs(socketsKnobs)),
          connections: record(fromKnobs(connectionsKnobs)),
          replyHeaders: { type: 'object', additionalProperties: text },
          policy,
        },
        ['routes'],
      ),
      balancer: named(
        'balancer',
        {
          ...fromKnobs(balancerKnobs),
          to: { type: 'string', description: 'The block whose connections it takes.' },
          health: { anyOf: [{ const: false }, record(fromKnobs(healthKnobs))] },
          standby: { anyOf: [{ const: true }, record(fromKnobs(standbyKnobs))] },
        },
        ['to'],
      ),
      forwardProxy: named(
        'forwardProxy',
        {
          ...fromKnobs(proxyKnobs),
          sites: {
            type: 'object',
            additionalProperties: text,
            description: 'By host: the block that is asked.',
          },
          rules: {
            type: 'array',
            items: record(
              {
                do: { enum: verdicts },
                hosts: texts,
                paths: texts,
                from: texts,
                users: texts,
                types: texts,
                over: text,
              },
              ['do'],
            ),
          },
          users: {
            type: 'object',
            additionalProperties: { type: 'string', pattern: '^[0-9a-fA-F]{64}$' },
          },
          cache: record(fromKnobs(proxyCacheKnobs)),
          limit: record(fromKnobs(proxyLimitKnobs)),
          tunnels: record({
            ...fromKnobs(proxyTunnelsKnobs),
            ports: { type: 'array', items: { type: 'integer', minimum: 1, maximum: 65_535 } },
          }),
          policy,
        },
        ['sites'],
      ),
      limiter: named(
        'limiter',
        { ...fromKnobs(limiterKnobs), also: { type: 'array', items: rateText } },
        [],
      ),
      scheme: {
        anyOf: [
          only(
            'apiKeys',
            record(
              {
                ...fromKnobs(keysKnobs),
                users: {
                  type: 'object',
                  additionalProperties: {
                    anyOf: [reference('key'), { type: 'array', items: reference('key') }],
                  },
                },
              },
              ['users'],
            ),
          ),
          only(
            'jwt',
            record({
              ...fromKnobs(jwtKnobs),
              keys: {
                type: 'string',
                description: 'The block that serves the keys of the issuer.',
              },
              algorithms: { type: 'array', items: { enum: ['RS256', 'ES256', 'EdDSA', 'HS256'] } },
            }),
          ),
        ],
      },
      key: record({ sha256: { type: 'string', pattern: '^[0-9a-fA-F]{64}$' }, tier: text }, [
        'sha256',
      ]),
      route: record({
        path: { type: 'string' },
        exact: { type: 'boolean' },
        host: { type: 'string' },
        methods: texts,
        headers: conditions,
        cookies: conditions,
        query: conditions,
        contentType: { type: 'string' },
        to: {
          anyOf: [
            { type: 'string', description: 'The block that it leads to.' },
            only(
              'aggregate',
              record(
                {
                  parts: {
                    type: 'object',
                    additionalProperties: record(
                      { ...fromKnobs(partKnobs), from: text, path: text },
                      ['from', 'path'],
                    ),
                  },
                  shape: { description: "JSON in which '$part.field' stands for a value." },
                },
                ['parts'],
              ),
            ),
          ],
        },
        redirect: {
          anyOf: [
            { type: 'string' },
            record({ to: { type: 'string' }, status: { enum: redirectStatuses } }, ['to']),
          ],
        },
        rewrite: record({
          strip: { type: 'string' },
          path: { type: 'string' },
          host: { type: 'string' },
        }),
        policy,
        limits: reference('limits'),
        auth: { enum: ['required', 'optional', 'none'] },
        tiers: texts,
        bodyMax: { type: 'string' },
        cache: { type: 'boolean' },
      }),
      limits: {
        type: 'object',
        additionalProperties: {
          anyOf: [
            record({ ...fromKnobs(limitsKnobs), only: texts, except: texts }),
            record(
              {
                ...fromKnobs(sharedLimitKnobs),
                backend: { type: 'string', description: 'The limiter that counts.' },
                only: texts,
                except: texts,
              },
              ['backend'],
            ),
          ],
        },
      },
      users: record({
        ...fromKnobs(usersKnobs),
        rate: {
          anyOf: [
            rateText,
            only(
              'ramp',
              record({ from: rateText, to: rateText, over: duration }, ['from', 'to', 'over']),
            ),
            only(
              'spike',
              record({ base: rateText, peak: rateText, at: duration, for: duration }, [
                'base',
                'peak',
                'at',
                'for',
              ]),
            ),
            only(
              'diurnal',
              record({ mean: rateText, swing: { type: 'number' }, period: duration }, ['mean']),
            ),
          ],
        },
        closed: record({ users: { type: 'integer', minimum: 1 }, think: reference('draw') }, [
          'users',
          'think',
        ]),
      }),
      step: {
        anyOf: [
          { type: 'string', description: 'A call of this block.' },
          only('parallel', { type: 'array', items: reference('step') }),
          only('sequence', { type: 'array', items: reference('step') }),
          only('optional', reference('step')),
          only(
            'sometimes',
            record(
              { chance: { type: 'number', minimum: 0, maximum: 1 }, call: reference('step') },
              ['chance', 'call'],
            ),
          ),
          only('work', reference('cost')),
        ],
      },
      cost: {
        anyOf: [reference('draw'), only('cpu', reference('draw')), only('wait', reference('draw'))],
      },
      draw: {
        anyOf: [
          duration,
          only('constant', duration),
          only('exponential', duration),
          only('uniform', record({ min: duration, max: duration }, ['min', 'max'])),
          only(
            'gamma',
            record({ mean: duration, cv: { type: 'number', minimum: 0 } }, ['mean', 'cv']),
          ),
          only('lognormal', record({ median: duration, p99: duration }, ['median', 'p99'])),
          only(
            'pareto',
            record({ min: duration, alpha: { type: 'number', exclusiveMinimum: 0 } }, [
              'min',
              'alpha',
            ]),
          ),
        ],
      },
    },
  };
}

const jsonTypes: Readonly<Record<string, string>> = {
  count: 'integer',
  ratio: 'number',
  flag: 'boolean',
};

function fromKnobs(knobs: Knobs): Record<string, object> {
  const properties: Record<string, object> = {};
  for (const [name, knob] of Object.entries(knobs)) {
    properties[name] = {
      ...(knob.choices ? { enum: knob.choices } : { type: jsonTypes[knob.unit] ?? 'string' }),
      description: `${knob.doc} Allowed: ${knob.allowed}.`,
      ...(knob.preset === undefined ? {} : { default: knob.preset }),
    };
  }
  return properties;
}
