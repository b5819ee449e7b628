import { THEMES } from '../destination/chart'
import type { Theme } from '../destination/chart'
import type { Part, Point } from './measure'

export interface Growth {
  events: Point[]
  keys: Point[]
}

const WIDTH = 920
const HEIGHT = 384
const PANEL = { top: 104, width: 300, height: 200 }
const PANELS = [
  { name: 'events', x: 62, title: 'Events that wait in the store, of one key' },
  { name: 'keys', x: 506, title: 'Keys that the store knows' }
] as const
const LINES = [
  { name: 'intake', words: 'intake' },
  { name: 'delivery', words: 'delivery' }
] as const

/** Two panels of lines: what an event costs, as a multiple of what it costs with the least in the store. */
export function chart(growth: Growth, theme: Theme): string {
  const colors = THEMES[theme]
  const all = PANELS.flatMap(({ name }) => LINES.flatMap((line) => ratios(growth[name], line.name)))
  const top = Math.max(2, Math.ceil(Math.max(...all)))
  const panels = PANELS.map(({ name, x, title }) => drawPanel(title, growth[name], x, top, colors))
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13" fill="${
    colors.text
  }">
<title id="title">CPU time for an event in the bridge's queue, by how many events and keys are in the store, relative to the smallest</title>
<rect width="${WIDTH}" height="${HEIGHT}" fill="${colors.ground}"/>
<text x="20" y="30" font-size="17" font-weight="600">What an event costs in the bridge’s queue as the store grows</text>
<text x="20" y="50" fill="${
    colors.faint
  }">CPU time for one event; 1× is what it costs with the least in the store. A level line: it does not matter how much there is.</text>
${panels.join('\n')}
<text x="20" y="${HEIGHT - 12}" fill="${
    colors.faint
  }" font-size="11">npm run bench:growth. SQLite in a file, committed to disk; calls to EmailSendX are left out.</text>
</svg>
`
}

function ratios(points: Point[], name: Part): number[] {
  return points.map(({ ratio }) => ratio[name])
}

function drawPanel(title: string, points: Point[], left: number, top: number, colors: (typeof THEMES)[Theme]): string {
  const bottom = PANEL.top + PANEL.height
  const xOf = (index: number) => Math.round(left + (index / (points.length - 1)) * PANEL.width)
  const yOf = (ratio: number) => Math.round((bottom - (ratio / top) * PANEL.height) * 10) / 10
  const grid = Array.from({ length: top + 1 }, (_, ratio) => {
    const line = `<line x1="${left}" y1="${yOf(ratio)}" x2="${left + PANEL.width}" y2="${yOf(ratio)}" stroke="${
      colors.line
    }"/>`
    return `${line}<text x="${left - 8}" y="${yOf(ratio) + 4}" text-anchor="end" fill="${
      colors.faint
    }">${ratio}×</text>`
  })
  const ticks = points.map(
    ({ size }, index) =>
      `<text x="${xOf(index)}" y="${bottom + 20}" text-anchor="middle" fill="${colors.faint}">${size.toLocaleString(
        'en-US'
      )}</text>`
  )
  const ends = LINES.map(({ name }) => yOf(ratios(points, name)[points.length - 1]))
  const lines = LINES.map(({ name, words }, index) => {
    const color = index === 0 ? colors.ours : colors.other
    const places = ratios(points, name).map((ratio, at) => [xOf(at), yOf(ratio)])
    const dots = places.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3.5" fill="${color}"/>`)
    // The words at the ends of the lines must not lie on each other.
    const near = Math.abs(ends[0] - ends[1]) < 34
    const above = ends[index] < ends[1 - index] || (ends[0] === ends[1] && index === 0)
    const y = near ? (ends[0] + ends[1]) / 2 + (above ? -22 : 14) : ends[index]
    const last = points[points.length - 1]
    const x = left + PANEL.width + 12
    return `<polyline points="${places
      .map((place) => place.join())
      .join(' ')}" fill="none" stroke="${color}" stroke-width="2"/>
${dots.join('')}
<text x="${x}" y="${y}" fill="${color}" font-weight="600">${words} ${last.ratio[name].toFixed(1)}×</text>
<text x="${x}" y="${y + 15}" fill="${colors.faint}" font-size="11">${inMicros(last.micros[name])}</text>`
  })
  return [
    `<text x="${left}" y="${PANEL.top - 18}" font-weight="600">${title}</text>`,
    ...grid,
    ...ticks,
    ...lines
  ].join('\n')
}

function inMicros(micros: number): string {
  return micros < 1000 ? `${Math.round(micros)} µs` : `${(micros / 1000).toFixed(1)} ms`
}
