import { describe, expect, it } from 'vitest';
import { LoadpathError } from '../kit/errors.ts';
import { readEdn } from './edn.ts';
import { judge, parseHistory } from './files.ts';
import { canonical } from './values.ts';

function refusal(text: string): string {
  try {
    parseHistory(text, { name: 'h' });
  } catch (error) {
    if (error instanceof LoadpathError && error.code === 'bad-input') return error.message;
    throw error;
  }
  return 'accepted';
}

const edn = (lines: string[]): string => lines.join('\n');

describe('EDN', () => {
  it('reads all of the notation', () => {
    const text = String.raw`; a comment
      [1 -2 3N 4.5 1e3 2.5M 2/6 4/2] #_ [gone] {:a "x\n\u0041", "b" nil} #{2 1} #inst "2020-01-01"
      (true false) \c \space sym/bol ^{:meta 1} [:k] 90071992547409930 #my.Op{:x #_gone 1}`;
    expect(readEdn(text, 'h').map((form) => form.value)).toEqual([
      [1, -2, 3, 4.5, 1000, 2.5, { '#ratio': '1/3' }, 2],
      { ':a': 'x\nA', b: null },
      [1, 2],
      { '#inst': '2020-01-01' },
      [true, false],
      'c',
      ' ',
      'sym/bol',
      [':k'],
      90071992547409930n,
      { ':x': 1 },
    ]);
  });

  it('tells apart what differs', () => {
    const differ = [
      [':a', '":a"'],
      ['"\\":a\\""', '":a"'],
      ['1/2', '"1/2"'],
      ['#a 1', '#b 1'],
      ['#a 1', '1'],
      ['{1 2}', '{"1" 2}'],
      ['{"#1" 2}', '{1 2}'],
      ['1.00000000000000000001M', '1.00000000000000000002M'],
      ['1.00000000000000000001M', '-1.00000000000000000001M'],
      ['9007199254740993', '9007199254740992'],
    ];
    const equal = [
      ['1/2', '2/4'],
      ['1.00000000000000000001M', '100.000000000000000001e-2M'],
      ['1.50M', '1.5'],
      ['#jepsen.history.Op{:x 1}', '{:x 1}'],
      ['#jepsen.independent/tuple [1 2]', '[1 2]'],
    ];
    const textOf = (text: string | undefined) => canonical(readEdn(text!, 'h')[0]!.value);
    for (const [one, other] of differ) expect(textOf(one), one).not.toBe(textOf(other));
    for (const [one, other] of equal) expect(textOf(one), one).toBe(textOf(other));
  });

  it('says where it went wrong', () => {
    expect(refusal('{:process 0\n :type')).toBe('h:1:1: this is never closed with }');
    expect(refusal('[{:a 1}\n   }]')).toBe('h:2:4: } closes nothing');
    expect(refusal('{:a}')).toBe('h:1:1: a map needs a value for each key');
    expect(refusal('{:a "x')).toBe('h:1:5: this string is never closed');
    expect(refusal(`${'['.repeat(5_000)}`)).toContain('nested deeper');
  });
});

describe('a history in a file', () => {
  it('is read from EDN, one operation a line or in one vector', () => {
    const lines = [
      '{:process 0, :type :invoke, :f :write, :value 1, :time 1000}',
      '{:process :nemesis, :type :info, :f :start, :value nil, :time 1500}',
      '{:process 0, :type :ok, :f :write, :value 1, :time 2000}',
      '#jepsen.history.Op{:process 1, :type :invoke, :f :read, :value nil, :time 3000}',
      '{:process 1, :type :ok, :f :read, :value 1, :time 4000}',
    ];
    for (const text of [edn(lines), `[${edn(lines)}]`]) {
      const recorded = parseHistory(text);
      expect(recorded.timed).toBe(true);
      expect(recorded.history.map((event) => event.at)).toEqual([1, 2, 3, 4]);
      expect(judge(recorded, 'register').answer).toBe('linearizable');
      expect(
        judge(parseHistory(text.replace(':read, :value 1', ':read, :value 2')), 'register').answer,
      ).toBe('not linearizable');
    }
  });

  it("is read from Jepsen's log", () => {
    const log = edn([
      'INFO  jepsen.core - Worker 0 starting',
      'INFO  jepsen.util - 0\t:invoke\t:write\t3',
      'INFO  jepsen.util - 1\t:invoke\t:cas\t[3 4]',
      'INFO  jepsen.util - 0\t:info\t:write\t:timed-out',
      'INFO  jepsen.util - 1\t:ok\t:cas\t[3 4]',
      'INFO  jepsen.util - 2\t:invoke\t:read\tnil',
      'INFO  jepsen.util - :nemesis\t:info\t:start\t"cut"',
      'INFO  jepsen.util - 2\t:ok\t:read\t4',
    ]);
    expect(judge(parseHistory(log), 'cas-register').answer).toBe('linearizable');
    expect(judge(parseHistory(log.replace('read\t4', 'read\t3')), 'cas-register').answer).toBe(
      'not linearizable',
    );
  });

  it('is read from JSON lines, with keys', () => {
    const text = edn([
      '{"process":0,"type":"invoke","f":"put","key":"a","value":"x"}',
      '{"process":1,"type":"invoke","f":"get","key":"b","value":null}',
      '{"process":0,"type":"ok","f":"put","key":"a","value":null}',
      '{"process":1,"type":"ok","f":"get","value":null}',
      '{"process":1,"type":"invoke","f":"get","key":"a"}',
      '{"process":1,"type":"ok","f":"get","value":"x"}',
    ]);
    const recorded = parseHistory(text);
    expect(recorded.timed).toBe(false);
    expect(judge(recorded, 'kv').answer).toBe('linearizable');
    expect(judge(parseHistory(text.replace('"value":"x"}', '"value":"y"}')), 'kv').answer).toBe(
      'not linearizable',
    );
  });

  it('takes [key value] tuples apart where they are tuples', () => {
    const text = edn([
      '{:process 0, :type :invoke, :f :write, :value [1 7]}',
      '{:process 1, :type :invoke, :f :cas, :value [2 [7 8]]}',
      '{:process 1, :type :fail, :f :cas, :value [2 [7 8]]}',
      '{:process 0, :type :ok, :f :write, :value [1 7]}',
      '{:process 0, :type :invoke, :f :read, :value [2 nil]}',
      '{:process 0, :type :ok, :f :read, :value [2 nil]}',
    ]);
    const recorded = parseHistory(text);
    expect(recorded.history.map((event) => event.key)).toEqual(['1', '2', '2', '1', '2', '2']);
    expect(judge(recorded, 'cas-register').answer).toBe('linearizable');
    const plain = edn([
      '{:process 0, :type :invoke, :f :cas, :value [1 7]}',
      '{:process 0, :type :info, :f :cas, :value [1 7]}',
    ]);
    expect(parseHistory(plain).history[0]!.key).toBeUndefined();
  });

  it('judges lists that grow, also as transactions of one operation', () => {
    const append = (read: string): string =>
      edn([
        '{:process 0, :type :invoke, :f :txn, :value [[:append 5 1]]}',
        '{:process 0, :type :ok, :f :txn, :value [[:append 5 1]]}',
        '{:process 1, :type :invoke, :f :txn, :value [[:append 5 2]]}',
        '{:process 1, :type :info, :f :txn, :value nil}',
        '{:process 0, :type :invoke, :f :txn, :value [[:r 5 nil]]}',
        `{:process 0, :type :ok, :f :txn, :value [[:r 5 ${read}]]}`,
      ]).replaceAll(':append', ':append');
    expect(judge(parseHistory(append('[1 2]')), 'append').answer).toBe('linearizable');
    expect(judge(parseHistory(append('[1]')), 'append').answer).toBe('linearizable');
    expect(judge(parseHistory(append('[2]')), 'append').answer).toBe('not linearizable');
    expect(refusal('{:process 0 :type :invoke :f :txn :value [[:r 1 nil] [:w 1 2]]}')).toContain(
      'several operations',
    );
  });

  it('is read back from what Loadpath recorded', () => {
    const event = (phase: string, op: number, f: string, value: unknown, block = 'links'): string =>
      JSON.stringify({ block, phase, op, f, key: 'a', value, node: 'api/0', life: 1, at: op });
    const text = edn([event('invoke', 1, 'put', 'x'), event('ok', 1, 'put', null)]);
    expect(judge(parseHistory(text), 'kv').answer).toBe('linearizable');
    expect(refusal(`${text}\n${event('invoke', 2, 'next', null, 'codes')}`)).toContain(
      'links, codes',
    );
  });

  it('is sorted by its times when its lines are not', () => {
    const line = (
      process: number,
      type: string,
      f: string,
      value: number | null,
      time: number,
    ): string => JSON.stringify({ process, type, f, value, time });
    const text = edn([
      line(0, 'invoke', 'write', 1, 10),
      line(0, 'ok', 'write', null, 20),
      line(1, 'invoke', 'read', null, 5),
      line(1, 'ok', 'read', 1, 15),
    ]);
    expect(judge(parseHistory(text), 'register').answer).toBe('linearizable');
  });

  describe('of processes whose logs stand one after the other', () => {
    const log = (
      process: number,
      ...steps: [f: string, ask: number | null, answer: number | null, from: number, to: number][]
    ) =>
      steps.flatMap(([f, ask, answer, from, to]) => [
        JSON.stringify({ process, type: 'invoke', f, value: ask, time: from }),
        JSON.stringify({ process, type: 'ok', f, value: answer, time: to }),
      ]);
    const answers = (one: string[], two: string[]) =>
      [
        [...one, ...two],
        [...two, ...one],
      ].map((lines) => judge(parseHistory(edn(lines)), 'register').answer);

    it('knows no order between what ends and what begins in one instant', () => {
      const writes = log(0, ['write', 1, null, 0, 5], ['write', 2, null, 8, 9]);
      expect(answers(writes, log(1, ['read', null, null, 5, 6]))).toEqual([
        'linearizable',
        'linearizable',
      ]);
      expect(answers(writes, log(1, ['read', null, null, 6, 7]))).toEqual([
        'not linearizable',
        'not linearizable',
      ]);
    });

    it('does not accuse where coarse times leave several orders open', () => {
      const both = (answer: number) =>
        answers(
          log(0, ['write', 1, null, 5, 5], ['read', null, 1, 5, 5], ['read', null, 2, 7, 7]),
          log(1, ['write', 2, null, 5, 5], ['read', null, 2, 5, 5], ['read', null, answer, 6, 6]),
        );
      expect(both(2)).toEqual(['unknown', 'unknown']);
      expect(both(3)).toEqual(['not linearizable', 'not linearizable']);
    });

    it('takes what took no time whichever of its two lines stands first', () => {
      const [call, back] = log(0, ['write', 1, null, 5, 5]);
      const early = log(1, ['read', null, null, 1, 2]);
      expect(refusal(edn([back!, call!, ...early]))).toBe('accepted');
      expect(refusal(edn([back!, ...early]))).toContain('has nothing open');
    });
  });

  it('is refused with the line of each mistake', () => {
    const invoke = '{:process 0, :type :invoke, :f :read, :value nil}';
    expect(refusal(edn([invoke, invoke]))).toBe(
      'h:2:1: process 0 invokes read while its read of line 1 is still open',
    );
    expect(refusal(edn([invoke, '', '  {:process 1, :type :ok, :f :read, :value 1}']))).toBe(
      'h:3:3: process 1 completes read, but has nothing open',
    );
    expect(refusal(edn([invoke, '{:process 0, :type :ok, :f :write, :value 1}']))).toContain(
      'h:2:1: process 0 completes write, but its read of line 1 is open',
    );
    expect(refusal('{"process":0,"type":"done","f":"read"}\n{"process":0}')).toBe(
      'h:1:1: type must be invoke, ok, fail or info, got "done"\nh:2:1: type must be invoke, ok, fail or info, got null',
    );
    expect(refusal('{"process":0,"type":"invoke","f":"read"}\n{"process":0,')).toMatch(
      /^h:2:14: not JSON/,
    );
    expect(refusal('{"process":0,"type":"invoke","f":"write","value":9007199254740993}')).toContain(
      'write it as a text',
    );
    expect(refusal('hello')).toBe('h:1:1: neither EDN, nor JSON lines, nor a Jepsen log');
  });

  it('has no answer when it is empty', () => {
    expect(judge(parseHistory(''), 'kv')).toEqual({
      answer: 'unknown',
      detail: 'nothing was recorded',
    });
  });

  it('is refused when the model does not know what was done', () => {
    const of = (f: string) => parseHistory(`{"process":0,"type":"invoke","f":"${f}","value":1}`);
    expect(() => judge(of('delete'), 'register')).toThrow(
      'model register (read, get, write, put, set) does not know delete; model kv does',
    );
    expect(() => judge(of('enqueue'), 'kv')).toThrow('does not know enqueue; no model does');
  });

  it('takes 1 and "1" for two keys', () => {
    const of = (key: string) =>
      edn([
        '{"process":0,"type":"invoke","f":"put","key":1,"value":"x"}',
        '{"process":0,"type":"ok","f":"put","key":1}',
        `{"process":0,"type":"invoke","f":"get","key":${key}}`,
        `{"process":0,"type":"ok","f":"get","key":${key},"value":null}`,
      ]);
    expect(judge(parseHistory(of('"1"')), 'kv').answer).toBe('linearizable');
    expect(judge(parseHistory(of('1')), 'kv').answer).toBe('not linearizable');
    expect(parseHistory(of('"1"')).history.map(({ key }) => key)).toEqual([
      '1 (no text)',
      '1 (no text)',
      '1',
      '1',
    ]);
  });

  it.each([
    ['EDN', (time: string) => `{:process 0, :type :invoke, :f :read, :value nil, :time ${time}}`],
    ['JSON', (time: string) => `{"process":0,"type":"invoke","f":"read","time":${time}}`],
    ['JSON texts', (time: string) => `{"process":0,"type":"invoke","f":"read","time":"${time}"}`],
  ])('has times since 1970 in nanoseconds: %s', (_, line) => {
    const times = ['1700000000000000000', '1700000000000002048'];
    const text = times.map((time, i) => line(time).replace('0', String(i))).join('\n');
    const [one, two] = parseHistory(text).history.map(({ at }) => at);
    expect([one, two]).toEqual([0, text.startsWith('{:') ? 2.048 : 2_048]);
    expect(refusal(line('"now"').replace('""', '"'))).not.toBe('accepted');
  });

  it('is refused at the line of an item, in an array over several lines', () => {
    const text = `[
      {"process":0,"type":"invoke","f":"write","value":"[{,\\"\\\\"},

      {"process":0,"type":"ok",
       "f":"write"}, {"process":1,"type":"done","f":"read"},
      7
    ]`;
    expect(refusal(text)).toMatch(/^h:5:22: type must be .*\nh:6:7: an operation must be a map/);
  });

  it('is refused when it is nested without end, or has no such block', () => {
    const deep = `${'['.repeat(20_000)}${']'.repeat(20_000)}`;
    expect(refusal(`{"process":0,"type":"invoke","f":"write","value":${deep}}`)).toContain(
      'nested deeper than 200',
    );
    const line = '{"process":0,"type":"invoke","f":"read"}';
    const event = '{"block":"links","phase":"invoke","op":1,"f":"get","node":"a","life":1,"at":1}';
    expect(() => parseHistory(line, { block: 'nope' })).toThrow('names a block');
    expect(() => parseHistory(event, { block: 'nope' })).toThrow(
      'there is no block nope in this history, but links',
    );
    expect(parseHistory(event, { block: 'links' }).history).toHaveLength(1);
  });
});
