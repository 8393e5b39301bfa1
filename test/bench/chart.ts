export interface Panel {
  readonly title: string;
  readonly bars: readonly { readonly name: string; readonly value: number }[];
}

const BAR = 22;
const NAMES = 190;
const LENGTH = 420;
const WIDTH = NAMES + LENGTH + 90;

/** Horizontal bars, panel below panel, as one SVG; bars whose name begins with `own` stand out. Readable on light and dark pages. */
export function barChart(panels: readonly Panel[], own: string): string {
  let top = 0;
  const drawn = panels.map(({ title, bars }) => {
    const longest = Math.max(...bars.map(({ value }) => value));
    const lines = bars.map(({ name, value }, index) => {
      const y = top + 34 + index * BAR;
      const length = Math.max(1, (value / longest) * LENGTH);
      return [
        `<text x="${NAMES - 8}" y="${y + 12}" text-anchor="end">${escaped(name)}</text>`,
        `<rect class="${name.startsWith(own) ? 'own' : 'other'}" x="${NAMES}" y="${y}" width="${length.toFixed(1)}" height="${BAR - 7}" rx="2"/>`,
        `<text x="${NAMES + length + 6}" y="${y + 12}">${shown(value)}</text>`,
      ].join('\n');
    });
    const panel = [`<text class="title" x="0" y="${top + 18}">${escaped(title)}</text>`, ...lines].join('\n');
    top += 34 + bars.length * BAR + 16;
    return panel;
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img">
<title>What gateways cost beside each other</title>
<style>
  text { font: 12px sans-serif; fill: #24292f }
  .title { font-weight: bold; font-size: 13px }
  .own { fill: #1a7f37 }
  .other { fill: #8c959f }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .own { fill: #3fb950 } .other { fill: #6e7681 } }
</style>
${drawn.join('\n')}
</svg>
`;
}

const shown = (value: number) => (value < 10 ? value.toFixed(2) : value < 100 ? value.toFixed(1) : value.toFixed(0));
const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
