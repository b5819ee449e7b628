import { readFile, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { format, resolveConfig } from 'prettier'
import setUpChromium from '../__helpers__/chromium'
import { launchBrowser } from '../tester/browser'
import { startEndpoint } from './__helpers__/endpoint'
import { recordSamples, senderTable } from './__helpers__/recordings'

const root = path.join(__dirname, '../..')
const ADDRESSES = path.join(root, 'docs/addresses.md')

async function writeFormatted(file: string, text: string): Promise<void> {
  await writeFile(file, format(text, { ...(await resolveConfig(file)), filepath: file }))
}

/** `npm run record`: writes `.segment/events` and the table of docs/addresses.md anew, from the libraries themselves. */
async function record(): Promise<void> {
  await setUpChromium()
  const endpoint = await startEndpoint()
  const browser = await launchBrowser()
  for (const [name, sample] of Object.entries(await recordSamples(endpoint, browser))) {
    await writeFormatted(path.join(root, `.segment/events/${name}.json`), JSON.stringify(sample))
  }
  const rows = [
    ['sender', '`identify()`', 'the `track()` after it'],
    ['-', '-', '-'],
    ...(await senderTable(endpoint, browser))
  ]
  const table = rows.map((cells) => `| ${cells.join(' | ')} |`).join('\n')
  const page = await readFile(ADDRESSES, 'utf8')
  await writeFormatted(ADDRESSES, page.replace(/(?<=<!-- senders.*-->\n)[^]*(?=<!-- \/senders -->)/, `\n${table}\n\n`))
  await browser.close()
  await endpoint.close()
}

void record()
