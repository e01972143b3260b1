/**
 * The page's half of the protocol: one function a call. The token comes from the page's own
 * address and goes with every request; what the server refuses is thrown as `Refused`.
 */
import type {
  DesignView,
  FaultCheck,
  Hello,
  HuntEvents,
  HuntRequest,
  JsonDesign,
  LabPage,
  LabSummary,
  MessageWindow,
  Micros,
  Refusal,
  RequestSample,
  RunRequest,
  RunSummary,
  SweepEvents,
  SweepRequest,
  WatchEvents,
  Waterfall,
} from 'loadpath/studio';
import type { RunMessage } from '../state/run.ts';
import { type MessagesOf, openStream, type Stream, type StreamState } from './stream.ts';

export interface MessageQuery {
  readonly fromUs: Micros;
  readonly toUs: Micros;
  readonly nodes?: readonly string[] | undefined;
  readonly blocks?: readonly string[] | undefined;
}

export interface Client {
  hello(): Promise<Hello>;
  design(): Promise<DesignView>;
  source(file: string): Promise<string>;
  saveDesign(data: JsonDesign): Promise<DesignView>;
  checkDesign(data: JsonDesign): Promise<DesignView>;
  typescript(data: JsonDesign): Promise<string>;
  mermaid(): Promise<string>;
  startRun(request: RunRequest): Promise<string>;
  runs(): Promise<readonly RunSummary[]>;
  pauseRun(id: string): Promise<void>;
  resumeRun(id: string): Promise<void>;
  stopRun(id: string): Promise<void>;
  deleteRun(id: string): Promise<void>;
  requests(id: string): Promise<RequestSample>;
  waterfall(id: string, index: number): Promise<Waterfall>;
  messages(id: string, query: MessageQuery): Promise<MessageWindow>;
  html(id: string): Promise<Blob>;
  saveFaults(faults: readonly string[]): Promise<string>;
  checkFaults(faults: readonly string[]): Promise<readonly FaultCheck[]>;
  startHunt(request: HuntRequest): Promise<string>;
  stopHunt(id: string): Promise<void>;
  startSweep(request: SweepRequest): Promise<string>;
  stopSweep(id: string): Promise<void>;
  labs(): Promise<readonly LabSummary[]>;
  lab(id: string): Promise<LabPage>;
  /** Where its design can be looked at. */
  openLab(id: string): Promise<string>;
  liveFault(fault: string): Promise<string>;
  liveHeal(): Promise<void>;
  watch(on: Listener<MessagesOf<WatchEvents>>): Stream;
  watchRun(id: string, on: Listener<RunMessage>): Stream;
  watchHunt(id: string, on: Listener<MessagesOf<HuntEvents>>): Stream;
  watchSweep(id: string, on: Listener<MessagesOf<SweepEvents>>): Stream;
}

export interface Listener<Message> {
  onMessages(messages: readonly Message[]): void;
  onState?(state: StreamState): void;
}

/** The server said no, and why. */
export class Refused extends Error {
  override readonly name = 'Refused';
  readonly refusal: Refusal;
  readonly status: number;

  constructor(status: number, refusal: Refusal) {
    super(refusal.message);
    this.status = status;
    this.refusal = refusal;
  }
}

/** Nobody answers: the server ended, or the machine slept. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable';
}

export function createClient(base: string, token: string): Client {
  async function call(method: string, path: string, body?: unknown): Promise<Response> {
    const headers: Record<string, string> = { authorization: `Bearer ${token}` };
    if (method !== 'GET') headers['content-type'] = 'application/json';
    let response: Response;
    try {
      response = await fetch(`${base}${path}`, {
        method,
        headers,
        ...(method === 'GET' ? {} : { body: JSON.stringify(body ?? {}) }),
      });
    } catch {
      throw new Unreachable('Studio’s server does not answer.');
    }
    if (!response.ok) throw new Refused(response.status, await refusalOf(response));
    return response;
  }
  const get = async <Answer>(path: string) => (await call('GET', path)).json() as Promise<Answer>;
  const post = async <Answer>(path: string, body?: unknown) =>
    (await call('POST', path, body)).json() as Promise<Answer>;
  const tell = async (method: string, path: string, body?: unknown) => {
    await call(method, path, body);
  };
  const stream = <Message extends { readonly name: string }>(
    path: string,
    names: readonly Message['name'][],
    on: Listener<Message>,
  ) => openStream<Message>(`${base}${path}?token=${encodeURIComponent(token)}`, names, on);

  return {
    hello: () => get('/api/hello'),
    design: () => get('/api/design'),
    source: async (file) =>
      (await call('GET', `/api/source?file=${encodeURIComponent(file)}`)).text(),
    saveDesign: async (data) => (await call('PUT', '/api/design', data)).json(),
    checkDesign: (data) => post('/api/design/check', data),
    typescript: async (data) => (await post<{ text: string }>('/api/design/typescript', data)).text,
    mermaid: async () => (await get<{ text: string }>('/api/mermaid')).text,
    labs: () => get('/api/labs'),
    lab: (id) => get(`/api/labs/${id}`),
    openLab: async (id) => (await post<{ url: string }>(`/api/labs/${id}/open`)).url,
    startRun: async (request) => (await post<{ id: string }>('/api/runs', request)).id,
    runs: () => get('/api/runs'),
    pauseRun: (id) => tell('POST', `/api/runs/${id}/pause`),
    resumeRun: (id) => tell('POST', `/api/runs/${id}/resume`),
    stopRun: (id) => tell('POST', `/api/runs/${id}/stop`),
    deleteRun: (id) => tell('DELETE', `/api/runs/${id}`),
    requests: (id) => get(`/api/runs/${id}/requests`),
    waterfall: (id, index) => get(`/api/runs/${id}/requests/${index}`),
    messages: (id, query) => get(`/api/runs/${id}/messages?${queryText(query)}`),
    html: async (id) => (await call('GET', `/api/runs/${id}/html`)).blob(),
    saveFaults: async (faults) =>
      (await post<{ file: string }>('/api/faults/save', { faults })).file,
    checkFaults: (faults) => post('/api/faults/check', { faults }),
    startHunt: async (request) => (await post<{ id: string }>('/api/hunts', request)).id,
    stopHunt: (id) => tell('POST', `/api/hunts/${id}/stop`),
    startSweep: async (request) => (await post<{ id: string }>('/api/sweeps', request)).id,
    stopSweep: (id) => tell('POST', `/api/sweeps/${id}/stop`),
    liveFault: async (fault) => (await post<{ text: string }>('/api/live/faults', { fault })).text,
    liveHeal: () => tell('POST', '/api/live/heal'),
    watch: (on) => stream('/api/watch', ['design', 'runs', 'live'], on),
    watchRun: (id, on) =>
      stream(
        `/api/runs/${id}/stream`,
        ['structure', 'layout', 'frame', 'event', 'progress', 'report', 'summary', 'failed', 'end'],
        on,
      ),
    watchHunt: (id, on) =>
      stream(`/api/hunts/${id}/stream`, ['progress', 'finding', 'report', 'failed'], on),
    watchSweep: (id, on) => stream(`/api/sweeps/${id}/stream`, ['point', 'report', 'failed'], on),
  };
}

function queryText(query: MessageQuery): string {
  const parameters = new URLSearchParams({
    fromUs: String(query.fromUs),
    toUs: String(query.toUs),
  });
  if (query.nodes?.length) parameters.set('nodes', query.nodes.join(','));
  if (query.blocks?.length) parameters.set('blocks', query.blocks.join(','));
  return parameters.toString();
}

async function refusalOf(response: Response): Promise<Refusal> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === 'object' && body !== null && 'message' in body) {
    const { code, message, problems } = body as Partial<Refusal>;
    return { code: code ?? 'failed', message: String(message), problems: problems ?? [] };
  }
  return { code: 'failed', message: `The server answered ${response.status}.`, problems: [] };
}
