import type { FamilyFacts, Measured, Series } from './metrics.ts';

/** Prometheus' text format: https://prometheus.io/docs/instrumenting/exposition_formats/ */
export const exposition = (families: readonly Measured[]): string => families.map(familyText).join('');

function familyText({ facts, series }: Measured): string {
  const { name, help, type } = facts;
  const head = `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n`;
  return (
    head + series.map(one => (type === 'histogram' ? histogramText(facts, one) : line(name, pairs(facts, one), one.numbers[0]))).join('')
  );
}

function histogramText(facts: FamilyFacts, one: Series): string {
  const { name, buckets = [] } = facts;
  const labels = pairs(facts, one);
  let count = 0;
  const lines = [...buckets, '+Inf'].map((bound, index) => {
    count += one.numbers[index] ?? 0;
    return line(`${name}_bucket`, [...labels, `le="${bound}"`], count);
  });
  return [...lines, line(`${name}_count`, labels, count), line(`${name}_sum`, labels, one.numbers.at(-1))].join('');
}

const line = (name: string, labels: readonly string[], number = 0) =>
  `${name}${labels.length === 0 ? '' : `{${labels.join(',')}}`} ${number}\n`;

const pairs = ({ labels }: FamilyFacts, { labels: values }: Series) =>
  labels.map((label, index) => `${label}="${escaped(values[index] ?? '')}"`);

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (value: string) => value.replace(/[\\"\n]/g, character => ESCAPES[character] ?? character);
