import { execFile } from 'node:child_process'
import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { promisify } from 'node:util'
import { DockerfileParser } from 'dockerfile-ast'

const run = promisify(execFile)
const root = path.join(__dirname, '../..')

interface Instruction {
  name: string
  /** All that follows, in one line. */
  text: string
}

/** One stage of a Dockerfile. */
export interface Stage {
  name: string
  instructions: Instruction[]
}

export function stagesOf(text: string): Stage[] {
  const stages: Stage[] = []
  for (const instruction of DockerfileParser.parse(text).getInstructions()) {
    const name = instruction.getKeyword()
    // Not its arguments, which come without flags.
    const rest = instruction.getTextContent().slice(name.length).trim()
    if (name === 'FROM') stages.push({ name: / AS (\S+)$/i.exec(rest)?.[1] ?? '', instructions: [] })
    else stages[stages.length - 1].instructions.push({ name, text: rest })
  }
  return stages
}

/**
 * No image can be built here, so what the Dockerfile says is done in folders: each stage is one of its own, COPY copies and RUN
 * runs. What that leaves out is the base image, USER (done by the id of the process) and the read-only file system.
 */
export class Image {
  constructor(
    readonly stages: Stage[],
    /** What .dockerignore says. */
    private readonly ignored: string[],
    /** Where a place of a stage is on this machine. */
    readonly placeIn: (stage: Stage, place: string) => string,
    /** The environment of what is run. */
    private readonly env: NodeJS.ProcessEnv
  ) {}

  /** @param instead by command: what is run in its place; null is nothing */
  async make(stage: Stage, instead: Record<string, string | null> = {}): Promise<void> {
    let workdir = '/'
    for (const { name, text } of stage.instructions) {
      if (name === 'WORKDIR') await mkdir(this.placeIn(stage, (workdir = text)), { recursive: true })
      if (name === 'COPY') await this.copy(stage, workdir, text.split(' '))
      const command = text in instead ? instead[text] : text
      if (name === 'RUN' && command !== null) await this.execute(stage, workdir, command)
    }
  }

  private async copy(stage: Stage, workdir: string, words: string[]): Promise<void> {
    const from = words[0].startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined
    const source = this.stages.find(({ name }) => name === from)
    const target = path.resolve('/', workdir, words.pop() ?? '')
    const isIgnored = (name: string) => name.startsWith('.image-') || this.ignored.includes(name)
    const everything = (await readdir(root)).filter((name) => !isIgnored(name))
    for (const word of words[0] === '.' ? everything : words) {
      const into = this.placeIn(stage, words.length > 1 || words[0] === '.' ? path.join(target, word) : target)
      // The packages are thousands of files, which a process of its own copies in a fifth of the time.
      if (source) await run('cp', ['-R', this.placeIn(source, word), into])
      else await cp(path.join(root, word), into, { recursive: true, filter: (file) => !isIgnored(path.basename(file)) })
    }
  }

  private async execute(stage: Stage, workdir: string, text: string): Promise<void> {
    const cwd = this.placeIn(stage, workdir)
    if (text.startsWith('npm ci')) await withoutIntegrity(path.join(cwd, 'package-lock.json'))
    // There is no user of that name here, and the file system begins elsewhere.
    const here = text.replace(/ && chown \S+ \S+/, '').replace(/ \/data/, ` '${this.placeIn(stage, '/data')}'`)
    await run('sh', ['-c', here], { cwd, env: this.env })
  }
}

/** The registry here packs the same files into other archives. */
async function withoutIntegrity(file: string): Promise<void> {
  await writeFile(file, (await readFile(file, 'utf8')).replace(/^ +"integrity": .*\n/gm, ''))
}
