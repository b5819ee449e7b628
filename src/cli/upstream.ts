import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { Command } from 'commander'
import { readFolder, strayReferences } from '../upstream/folder'

const root = path.resolve(__dirname, '../..')

/** `npm run upstream -- DIR`: the folder of the pull request to Segment's monorepo. */
export const upstreamCommand = () =>
  new Command('upstream')
    .description("write the folder that a pull request to Segment's monorepo adds")
    .argument('<dir>', 'the folder, such as …/packages/destination-actions/src/destinations/emailsendx')
    .action(async (dir: string) => {
      // The scaffold's snapshot test needs a file of the monorepo, so that it can't stand in definitions/.
      const parts = ['definitions/emailsendx', 'upstream/destination'].map((part) => readFolder(path.join(root, part)))
      const folder = new Map((await Promise.all(parts)).flatMap((files) => [...files]))

      const strays = strayReferences(folder)
      if (strays.length > 0) throw new Error(`the destination does not stand alone: ${strays.join('; ')}`)

      await clear(dir)
      for (const [file, text] of folder) {
        const target = path.join(dir, file)
        await mkdir(path.dirname(target), { recursive: true })
        await writeFile(target, text)
      }
      console.log(`${dir}: ${folder.size} files; they import nothing that Segment's destination package lacks
Not registered there: Segment adds the id to destinations/index.ts. The rest of the hand-over: docs/upstream/README.md`)
    })

/** @throws when the folder holds anything else than an earlier copy */
async function clear(dir: string): Promise<void> {
  const present = await readdir(dir).catch((): string[] => [])
  if (present.length > 0 && !(present.includes('metadata.json') && present.includes('identifyContact'))) {
    throw new Error(`${dir} holds something else: name a folder that is new, empty, or an earlier copy`)
  }
  await rm(dir, { recursive: true, force: true })
}
