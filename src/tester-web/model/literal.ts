/**
 * Reads a JavaScript literal, as it stands in a call that a person copies from their code: JSON, and also keys without quotes,
 * single quotes, trailing commas and comments. `new Date()` is the time of reading. Nothing is run.
 */
export class Literals {
  private at = 0

  constructor(private readonly text: string) {}

  /** The arguments of a call, from after its opening bracket up to the closing one. @throws Error that says where it stops */
  args(from: number): { values: unknown[]; end: number } {
    this.at = from
    const values = this.list(')', () => this.value())
    return { values, end: this.at }
  }

  private value(): unknown {
    this.skip()
    const next = this.text[this.at]
    if (next === '{') return Object.fromEntries(this.list('}', () => this.entry(), 1))
    if (next === '[') return this.list(']', () => this.value(), 1)
    if (next === '"' || next === "'" || next === '`') return this.quoted(next)
    const [word] = /^(new Date\(\)(\.toISOString\(\))?|[\w$.+-]+)/.exec(this.text.slice(this.at)) ?? []
    if (word === undefined) throw this.stuck()
    this.at += word.length
    if (word.startsWith('new Date')) return new Date().toISOString()
    if (word in WORDS) return WORDS[word]
    const number = Number(word)
    if (Number.isNaN(number)) {
      this.at -= word.length
      throw this.stuck()
    }
    return number
  }

  private entry(): [string, unknown] {
    this.skip()
    const quote = this.text[this.at]
    const [name = ''] = /^[\w$]+/.exec(this.text.slice(this.at)) ?? []
    const key = quote === '"' || quote === "'" ? this.quoted(quote) : name
    if (key === name) this.at += name.length
    this.skip()
    if (this.text[this.at] !== ':') throw this.stuck()
    this.at++
    return [key, this.value()]
  }

  private list<T>(close: string, read: () => T, skipped = 0): T[] {
    this.at += skipped
    const items: T[] = []
    for (;;) {
      this.skip()
      if (this.text[this.at] === close) {
        this.at++
        return items
      }
      items.push(read())
      this.skip()
      if (this.text[this.at] === ',') this.at++
      else if (this.text[this.at] !== close) throw this.stuck()
    }
  }

  private quoted(quote: string): string {
    const body = new RegExp(`^${quote}((?:[^${quote}\\\\]|\\\\.)*)${quote}`, 's').exec(this.text.slice(this.at))
    if (!body || (quote === '`' && body[1].includes('${'))) throw this.stuck()
    this.at += body[0].length
    return body[1].replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_, escaped: string) =>
      escaped.length === 5 ? String.fromCharCode(parseInt(escaped.slice(1), 16)) : ESCAPES[escaped] ?? escaped
    )
  }

  private skip(): void {
    const [blank] = /^(\s|\/\/[^\n]*|\/\*.*?\*\/)*/s.exec(this.text.slice(this.at)) ?? ['']
    this.at += blank.length
  }

  private stuck(): Error {
    const [word] = /^\S{0,20}/.exec(this.text.slice(this.at)) ?? ['']
    return new Error(word ? `only values can be read, not ${word}` : 'it ends too early')
  }
}

const WORDS: Record<string, unknown> = { true: true, false: false, null: null, undefined: undefined }
const ESCAPES: Record<string, string> = { n: '\n', t: '\t', r: '\r', b: '\b', f: '\f', '\n': '' }
