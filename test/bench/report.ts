import { barChart } from './chart.ts';
import { type LoadFigures, median } from './rig.ts';

/** One measurement: CPU in microseconds, memory in MB. */
export interface Figures extends LoadFigures {
  readonly cpu: number;
  readonly memory: number;
}

/** By scenario, then by gateway: one measurement for each round. */
export type Measured = Readonly<Record<string, Readonly<Record<string, readonly Figures[]>>>>;

/** The gateway that does nothing but pass bytes on, and no gateway at all. */
const PLAIN = 'nginx';
export const DIRECT = 'direct';

interface Column {
  readonly title: string;
  readonly scenario: string;
  readonly digits: number;
  /** What a gateway adds to this is what counts. */
  readonly added?: true;
  of(figures: Figures): number;
}

const perRequest = ({ cpu, requests }: Figures) => cpu / requests;
const perEvent = ({ cpu, events }: Figures) => cpu / events;

const CPU_COLUMNS: readonly Column[] = [
  { title: '1 kB', scenario: '1k', digits: 1, of: perRequest },
  { title: '32 kB', scenario: '32k', digits: 1, of: perRequest },
  { title: '1 MB', scenario: '1m', digits: 0, of: perRequest },
  { title: 'token at 50/s', scenario: 'stream', digits: 1, of: perEvent },
  { title: 'token without pause', scenario: 'burst', digits: 2, of: perEvent },
];
const LATENCY_COLUMNS: readonly Column[] = [
  { title: 'p50', scenario: 'latency', digits: 2, added: true, of: ({ latency }) => latency.p50 / 1000 },
  { title: 'p99', scenario: 'latency', digits: 2, added: true, of: ({ latency }) => latency.p99 / 1000 },
  { title: 'p99.9', scenario: 'latency', digits: 2, added: true, of: ({ latency }) => latency.p999 / 1000 },
  { title: 'token p50', scenario: 'stream', digits: 2, added: true, of: ({ token }) => token.p50 / 1000 },
  { title: 'token p99', scenario: 'stream', digits: 2, added: true, of: ({ token }) => token.p99 / 1000 },
];
const OTHER_COLUMNS: readonly Column[] = [
  { title: 'requests/s, 1 kB', scenario: '1k', digits: 0, of: ({ requests, seconds }) => requests / seconds },
  { title: 'tokens/s without pause', scenario: 'burst', digits: 0, of: ({ events, seconds }) => events / seconds },
  { title: 'RSS MB, 1 kB', scenario: '1k', digits: 0, of: ({ memory }) => memory },
  { title: 'RSS MB, 1 MB', scenario: '1m', digits: 0, of: ({ memory }) => memory },
];

/** What the design asks for: a gateway's figure is at most so many times the other's, for latencies that much more, or by itself so much. */
const AIMS: readonly (readonly [gateway: string, column: Column | undefined, most: number, than: string | null])[] = [
  ['sluice', CPU_COLUMNS[0], 3, PLAIN],
  ['sluice', CPU_COLUMNS[0], 1.5, 'nginx + Lua'],
  ['sluice', CPU_COLUMNS[0], 1 / 4, 'Portkey, Bun'],
  ['sluice', CPU_COLUMNS[0], 1 / 20, 'Portkey, Node'],
  ['sluice, guarded', CPU_COLUMNS[0], 1.6, 'sluice'],
  ['sluice', CPU_COLUMNS[1], 4, PLAIN],
  ['sluice', CPU_COLUMNS[2], 1.2, PLAIN],
  ['sluice', CPU_COLUMNS[3], 1.3, PLAIN],
  ['sluice, anthropic', CPU_COLUMNS[3], 2.2, PLAIN],
  ['sluice', LATENCY_COLUMNS[0], 0.15, PLAIN],
  ['sluice', OTHER_COLUMNS[2], 80, null],
  ['sluice', OTHER_COLUMNS[3], 200, null],
];

export class Report {
  readonly #measured: Measured;
  readonly #gateways: readonly string[];

  constructor(measured: Measured) {
    this.#measured = measured;
    this.#gateways = [...new Set(Object.values(measured).flatMap(gateways => Object.keys(gateways)))];
  }

  markdown(): string {
    const lists = [
      ['CPU µs a request or token', CPU_COLUMNS],
      ['added latency, ms', LATENCY_COLUMNS],
      ['on one core', OTHER_COLUMNS],
    ] as const;
    const tables = lists.map(([title, columns]) =>
      this.#table(title, columns, (gateway, column) => shown(this.#median(gateway, column), column)),
    );
    const ratios = this.#table(`CPU, times that of ${PLAIN} (least – most of the rounds)`, CPU_COLUMNS, (gateway, column) => {
      const values = [DIRECT, PLAIN].includes(gateway) ? [] : this.#ratios(gateway, column, PLAIN);
      const [least, most] = [Math.min(...values), Math.max(...values)];
      return values.length === 0 ? '' : `${median(values).toFixed(2)} (${least.toFixed(2)} – ${most.toFixed(2)})`;
    });
    return [tables[0], ratios, ...tables.slice(1), this.#errors(), this.#aims()].filter(Boolean).join('\n\n');
  }

  chart(): string {
    const panels = [CPU_COLUMNS[0], CPU_COLUMNS[3], LATENCY_COLUMNS[0]].flatMap((column, index) => {
      if (!column || !this.#measured[column.scenario]) return [];
      const title = ['CPU µs a request of 1 kB', 'CPU µs a streamed token', 'added latency, median, ms'][index] ?? '';
      const bars = this.#gateways.map(name => ({ name, value: this.#median(name, column) }));
      return [{ title, bars: bars.filter(({ name, value }) => name !== DIRECT && Number.isFinite(value)) }];
    });
    return barChart(panels, 'sluice');
  }

  #table(title: string, all: readonly Column[], cell: (gateway: string, column: Column) => string): string {
    const columns = all.filter(({ scenario }) => this.#measured[scenario]);
    if (columns.length === 0) return '';
    const rows = this.#gateways
      .map(gateway => [gateway, ...columns.map(column => cell(gateway, column))])
      .filter(([, ...cells]) => cells.some(Boolean));
    const lines = [[title, ...columns.map(column => column.title)], ['---', ...columns.map(() => '--:')], ...rows];
    return lines.map(cells => `| ${cells.join(' | ')} |`).join('\n');
  }

  #errors(): string {
    const lines = Object.entries(this.#measured).flatMap(([scenario, gateways]) =>
      Object.entries(gateways).flatMap(([gateway, rounds]) => {
        const errors = rounds.reduce((sum, { errors }) => sum + errors, 0);
        return errors > 0 ? [`- ${gateway}, ${scenario}: ${errors} requests failed`] : [];
      }),
    );
    return lines.join('\n');
  }

  #aims(): string {
    const lines = AIMS.flatMap(([gateway, column, most, than]) => {
      if (!column || !this.#rounds(gateway, column)) return [];
      if (than === null) {
        const value = this.#median(gateway, column);
        return [`- ${gateway}, ${column.title}: ${shown(value, column)}; aim ${most}: ${verdict(value, most)}`];
      }
      if (!this.#rounds(than, column)) return [];
      const differs = column.added
        ? this.#median(gateway, column) - this.#median(than, column)
        : median(this.#ratios(gateway, column, than));
      const [is, aim] = column.added ? [`${differs.toFixed(2)} ms over`, `${most} ms`] : [`${differs.toFixed(3)} ×`, most.toString()];
      return [`- ${gateway}, ${column.scenario} ${column.title}: ${is} ${than}; aim ${aim}: ${verdict(differs, most)}`];
    });
    return lines.join('\n');
  }

  #rounds(gateway: string, { scenario }: Column): readonly Figures[] | undefined {
    return this.#measured[scenario]?.[gateway];
  }

  /** Over the rounds; of an added latency what the gateway adds to no gateway at all. */
  #median(gateway: string, column: Column): number {
    const value = median((this.#rounds(gateway, column) ?? []).map(column.of));
    return column.added && gateway !== DIRECT ? value - median((this.#rounds(DIRECT, column) ?? []).map(column.of)) : value;
  }

  /** One for each round, so that what disturbed one round disturbs both figures. */
  #ratios(gateway: string, column: Column, than: string): number[] {
    const others = this.#rounds(than, column) ?? [];
    return (this.#rounds(gateway, column) ?? []).flatMap((figures, round) => {
      const other = others[round];
      return other ? [column.of(figures) / column.of(other)] : [];
    });
  }
}

const verdict = (value: number, most: number) => (value <= most ? 'reached' : 'missed');
const shown = (value: number, { digits }: Column) => (Number.isFinite(value) ? value.toFixed(digits) : '');
