/**
 * What stands between paths, and the condition that the first must meet: that it is there, or that it is not empty, as the
 * destination's own defaults say it.
 */
const CONDITIONS: Record<string, (path: string) => { [test: string]: unknown }> = {
  '??': (path) => ({ exists: { '@path': path } }),
  '||': (path) => ({ blank: { '@arrayPath': [path, { isText: false }] } })
}

/**
 * A mapped value as one line that a person can write: `$.traits.email` takes a value of the event, `$.a ?? $.b` the first
 * of them that is there, `$.a || $.b` the first that is not empty, `{...$.a}` an object, also where it is the `[]` of PHP, `"…"` and
 * anything else is a text as it stands, `{…}` is any other of Segment's directives.
 */
export function toText(value: unknown): string {
  if (value === undefined || value === null) return ''
  if (typeof value === 'string') return readsAsText(value) ? value : JSON.stringify(value)
  return pathsText(value) ?? spreadText(value) ?? JSON.stringify(value)
}

function pathsText(value: unknown): string | undefined {
  return Object.keys(CONDITIONS).flatMap((sign) => pathsOf(value, sign)?.join(` ${sign} `) ?? [])[0]
}

/** An object merged with nothing. */
function spreadText(value: unknown): string | undefined {
  const [merged] = (value as Partial<ReturnType<typeof spread>>)['@merge']?.objects ?? []
  const line = pathsText(merged)
  return line !== undefined && JSON.stringify(value) === JSON.stringify(spread(merged)) ? `{...${line}}` : undefined
}

function spread(value: unknown) {
  return { '@merge': { direction: 'right', objects: [value] } }
}

/** The value of a line; `null` for an empty one, which leaves the field unmapped. @throws Error where it starts as JSON and is not */
export function fromText(text: string): unknown {
  const trimmed = text.trim()
  if (trimmed === '') return null
  if (readsAsText(text)) return text
  const inner = /^\{\s*\.\.\.\s*(\$\..+)\}$/.exec(trimmed)?.[1]
  if (inner !== undefined) return spread(fromPaths(inner))
  return trimmed.startsWith('$.') ? fromPaths(trimmed) : parse(trimmed)
}

function fromPaths(text: string): object | undefined {
  const [sign = '??', other] = Object.keys(CONDITIONS).filter((sign) => text.includes(sign))
  if (other) throw new Error('Between paths goes ?? or ||, not both.')
  return text
    .split(sign)
    .map((path) => path.trim())
    .reduceRight<object | undefined>((otherwise, path) => {
      const value = { '@path': path }
      return otherwise ? { '@if': { ...CONDITIONS[sign](path), then: value, else: otherwise } } : value
    }, undefined)
}

const readsAsText = (text: string): boolean => text.trim() !== '' && !/^\s*(\$\.|[{["])/.test(text)

function parse(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw new Error('This starts like JSON and is not. A path starts with $. and a text with a letter.')
  }
  const unknown = unknownDirective(value)
  if (unknown === undefined) return value
  throw new Error(`There is no directive ${unknown}. There are ${DIRECTIVES.join(', ')}.`)
}

/** Those of actions-core 3.170 and later. */
const DIRECTIVES = [
  '@arrayPath',
  '@case',
  '@excludeWhenNull',
  '@flatten',
  '@if',
  '@json',
  '@liquid',
  '@literal',
  '@merge',
  '@path',
  '@replace',
  '@template',
  '@transform'
]

function unknownDirective(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  for (const [key, inner] of Object.entries(value)) {
    if (key.startsWith('@') && !DIRECTIVES.includes(key)) return key
    // What is literal is no mapping.
    const found = key === '@literal' ? undefined : unknownDirective(inner)
    if (found !== undefined) return found
  }
  return undefined
}

/** The paths of `@path`, or of `@if`s that take the first that meets the condition. */
function pathsOf(value: unknown, sign: string): string[] | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  const { '@path': path, '@if': condition } = value as { '@path'?: unknown; '@if'?: Record<string, unknown> }
  if (typeof path === 'string') return Object.keys(value).length === 1 ? [path] : undefined
  const first = pathsOf(condition?.then, sign)
  const others = pathsOf(condition?.else, sign)
  if (!condition || first?.length !== 1 || !others) return undefined
  const { then: _then, else: _else, ...test } = condition
  const isTest = JSON.stringify(test) === JSON.stringify(CONDITIONS[sign](first[0]))
  return isTest ? [...first, ...others] : undefined
}
