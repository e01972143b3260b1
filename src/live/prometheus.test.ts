import { expect, test } from 'vitest';
import { pathMeter } from '../host/path.ts';
import { Meters } from '../kit/meters.ts';
import { prometheusText } from './prometheus.ts';

test('meters become Prometheus text, a family at a time, in seconds where they are times', () => {
  const meters = new Meters();
  for (const node of ['kv/0', 'kv/1']) {
    const meter = meters.meter(node, 'links', () => {});
    meter.counter('requests').add(3);
    meter.gauge('queueLength').set(2);
    for (const us of [1_000, 2_000, 4_000]) meter.histogram('latency').record(us);
    meter.histogram('bodyBytes').record(500);
  }
  const own = {
    name: 'loadpath_up',
    type: 'gauge',
    help: 'Up.',
    labels: { node: 'a"b\\' },
    value: 1,
  };
  const text = prometheusText(meters.snapshot(), [{ ...own, type: 'gauge' }]);
  expect(text).toContain(
    [
      '# HELP loadpath_requests_total Counter "requests" of a block\'s programs.',
      '# TYPE loadpath_requests_total counter',
      'loadpath_requests_total{node="kv/0",block="links"} 3',
      'loadpath_requests_total{node="kv/1",block="links"} 3',
    ].join('\n'),
  );
  expect(text).toContain('loadpath_queue_length{node="kv/0",block="links"} 2');
  expect(text).toContain('loadpath_latency_seconds_sum{node="kv/0",block="links"} 0.007');
  expect(text).toContain(
    'loadpath_latency_seconds{node="kv/0",block="links",quantile="0.999"} 0.004',
  );
  expect(text).toContain('loadpath_body_bytes_count{node="kv/0",block="links"} 1');
  expect(text).toContain('loadpath_up{node="a\\"b\\\\"} 1');
  expect(text.match(/# TYPE /g)?.length).toBe(5);
});

test('what a caller counts of a path has the called block as a label', () => {
  const meters = new Meters();
  const path = pathMeter(
    meters.meter('api/0', 'api', () => {}),
    'links',
  );
  path.calls.add(3);
  path.errors.add();
  path.latency.record(2_000);
  const text = prometheusText(meters.snapshot());
  const labels = 'node="api/0",block="api",to="links"';
  expect(text).toContain(`loadpath_calls_total{${labels}} 3`);
  expect(text).toContain(`loadpath_call_errors_total{${labels}} 1`);
  expect(text).toContain(`loadpath_call_latency_seconds_count{${labels}} 1`);
  expect(text).not.toContain('calls_links');
});
