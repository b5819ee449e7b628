import type { Call, Figure, Way } from './measure'

export const THEMES = {
  light: {
    ground: '#ffffff',
    text: '#1f2328',
    faint: '#59636e',
    line: '#d1d9e0',
    bar: '#9fb4c7',
    ours: '#0969da',
    other: '#9a6700'
  },
  dark: {
    ground: '#0d1117',
    text: '#f0f6fc',
    faint: '#9198a1',
    line: '#3d444d',
    bar: '#4a5a6a',
    ours: '#4493f8',
    other: '#d29922'
  }
}
export type Theme = keyof typeof THEMES

const WIDTH = 920
const PANEL_WIDTH = 440
const LABELS = 124
const BAR = 16
const ROW = 24
const HEAD = 64
const PANELS: { call: Call; way: Way; title: string }[] = [
  { call: 'identify', way: 'batch', title: 'identify, in batches' },
  { call: 'identify', way: 'single', title: 'identify, alone' },
  { call: 'track', way: 'batch', title: 'track, in batches' },
  { call: 'track', way: 'single', title: 'track, alone' }
]

/** Four panels of bars: microseconds of CPU for an event, and how many requests 1,000 take. */
export function chart(figures: Figure[], theme: Theme): string {
  const colors = THEMES[theme]
  const panels = PANELS.map(({ call, way, title }) => ({
    title,
    figures: figures
      .filter((figure) => figure.call === call && figure.way === way)
      .sort((a, b) => a.cpuMicros - b.cpuMicros)
  }))
  const heights = [0, 2].map(
    (row) => Math.max(...panels.slice(row, row + 2).map((panel) => panel.figures.length)) * ROW + 46
  )
  const height = HEAD + heights[0] + heights[1] + 34
  const drawn = panels.map((panel, index) => {
    const x = 20 + (index % 2) * PANEL_WIDTH
    const y = HEAD + (index < 2 ? 0 : heights[0])
    return drawPanel(panel.title, panel.figures, x, y, colors)
  })
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img" aria-labelledby="title" font-family="system-ui, -apple-system, Segoe UI, sans-serif" font-size="13" fill="${
    colors.text
  }">
<title id="title">CPU time for an event in EmailSendX and six other destinations of Segment, and requests for 1,000 events</title>
<rect width="${WIDTH}" height="${height}" fill="${colors.ground}"/>
<text x="20" y="30" font-size="17" font-weight="600">CPU for one event: EmailSendX beside Segment’s published email destinations</text>
<text x="20" y="50" fill="${
    colors.faint
  }">Microseconds, median of several rounds in one process, network replaced. Shorter is better. In brackets: requests for 1,000 events.</text>
${drawn.join('\n')}
<text x="20" y="${height - 12}" fill="${
    colors.faint
  }" font-size="11">npm run bench. Each destination with its default mapping and its default batch size.</text>
</svg>
`
}

function drawPanel(title: string, figures: Figure[], x: number, y: number, colors: (typeof THEMES)[Theme]): string {
  const longest = Math.max(1, ...figures.map(({ cpuMicros }) => cpuMicros))
  const room = PANEL_WIDTH - LABELS - 130
  const bars = figures.map(({ contestant, cpuMicros, requests }, index) => {
    const top = y + 28 + index * ROW
    const width = Math.max(2, Math.round((cpuMicros / longest) * room))
    const isOurs = contestant.startsWith('EmailSendX')
    const weight = isOurs ? ' font-weight="600"' : ''
    return `<text x="${x + LABELS - 8}" y="${top + 12}" text-anchor="end"${weight}>${contestant}</text>
<rect x="${x + LABELS}" y="${top}" width="${width}" height="${BAR}" rx="2" fill="${isOurs ? colors.ours : colors.bar}"/>
<text x="${x + LABELS + width + 6}" y="${top + 12}"${weight}>${Math.round(cpuMicros)} µs <tspan fill="${
      colors.faint
    }" font-weight="400">(${requests})</tspan></text>`
  })
  const axis = `<line x1="${x + LABELS}" y1="${y + 22}" x2="${x + LABELS}" y2="${
    y + 28 + figures.length * ROW
  }" stroke="${colors.line}"/>`
  return [`<text x="${x + LABELS}" y="${y + 14}" font-weight="600">${title}</text>`, axis, ...bars].join('\n')
}
