import { DockerfileParser } from 'dockerfile-ast'

export interface Instruction {
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
