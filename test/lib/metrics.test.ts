import { describe, expect, test } from 'bun:test';
import { exposition } from '../../src/lib/exposition.ts';
import { Metrics, sumOf } from '../../src/lib/metrics.ts';

const counterFacts = { name: 'requests_total', help: 'Requests', labels: ['route', 'code'] };
const histogramFacts = { name: 'latency_ms', help: 'Latency', labels: ['route'], buckets: [1, 10] };

describe('what is counted', () => {
  test('is told by its labels, and a family that is declared again goes on', () => {
    const metrics = new Metrics();
    metrics.counter(counterFacts).of('a', '200').add(2);
    metrics.counter(counterFacts).of('a', '200').add(1);
    metrics.counter(counterFacts).of('a', '404').add(1);
    metrics.counter(counterFacts).of('b', '200').add(1);
    expect(metrics.read()).toEqual([
      {
        facts: { ...counterFacts, type: 'counter' },
        series: [
          { labels: ['a', '200'], numbers: [3] },
          { labels: ['a', '404'], numbers: [1] },
          { labels: ['b', '200'], numbers: [1] },
        ],
      },
    ]);
  });

  test.each([
    [0, [1, 0, 0, 0]],
    [1, [1, 0, 0, 1]],
    [1.5, [0, 1, 0, 1.5]],
    [10, [0, 1, 0, 10]],
    [11, [0, 0, 1, 11]],
  ])('of %d falls into its bucket, the bound itself below it', (value, numbers) => {
    const metrics = new Metrics();
    metrics.histogram(histogramFacts).of('a').observe(value);
    expect(metrics.read()[0]?.series).toEqual([{ labels: ['a'], numbers }]);
  });
});

test('what several processes counted is summed, series by series', () => {
  const [one, other] = [new Metrics(), new Metrics()];
  one.counter(counterFacts).of('a', '200').add(1);
  one.histogram(histogramFacts).of('a').observe(5);
  other.counter(counterFacts).of('a', '200').add(2);
  other.counter(counterFacts).of('b', '200').add(4);
  other.histogram(histogramFacts).of('a').observe(50);
  const sent = structuredClone(other.read());
  expect(sumOf([one.read(), sent, []]).map(({ series }) => series)).toEqual([
    [
      { labels: ['a', '200'], numbers: [3] },
      { labels: ['b', '200'], numbers: [4] },
    ],
    [{ labels: ['a'], numbers: [0, 1, 1, 55] }],
  ]);
});

describe('the text', () => {
  test('of a histogram counts upwards', () => {
    const metrics = new Metrics();
    const histogram = metrics.histogram(histogramFacts);
    for (const value of [0.5, 7, 8, 100]) histogram.of('a').observe(value);
    expect(exposition(metrics.read())).toBe(
      `# HELP latency_ms Latency
# TYPE latency_ms histogram
latency_ms_bucket{route="a",le="1"} 1
latency_ms_bucket{route="a",le="10"} 3
latency_ms_bucket{route="a",le="+Inf"} 4
latency_ms_count{route="a"} 4
latency_ms_sum{route="a"} 115.5
`,
    );
  });

  test('of what has no labels has no braces', () => {
    const metrics = new Metrics();
    metrics.counter({ name: 'up', help: 'Up', labels: [] }).of().add(1);
    expect(exposition(metrics.read())).toBe('# HELP up Up\n# TYPE up counter\nup 1\n');
  });

  test.each([
    ['a "name"', String.raw`a \"name\"`],
    ['back\\slash', String.raw`back\\slash`],
    ['two\nlines', String.raw`two\nlines`],
    ['évil} 1', 'évil} 1'],
  ])('of a label that holds %p is escaped', (label, escaped) => {
    const metrics = new Metrics();
    metrics
      .counter({ name: 'n', help: 'back\\slash\nline', labels: ['l'] })
      .of(label)
      .add(1);
    expect(exposition(metrics.read())).toBe(`# HELP n back\\\\slash\\nline\n# TYPE n counter\nn{l="${escaped}"} 1\n`);
  });
});
