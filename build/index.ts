import { execFileSync } from 'node:child_process'
import { cpSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { bundlePage } from '../src/tester-web/bundle'

/*
 * `npm run build`: what the package runs, in dist. The folders stand to each other as in the checkout, so that every path
 * between them is the same.
 */

const root = path.join(__dirname, '..')
const dist = path.join(root, 'dist')

/** The native compiler, in a seventh of the time. The other one is for eslint, and for types as Segment checks them. */
const compiler = path.join(path.dirname(require.resolve('typescript-7/package.json')), 'bin/tsc')

async function build(): Promise<void> {
  rmSync(dist, { recursive: true, force: true })
  execFileSync(process.execPath, [compiler, '-p', path.join(__dirname, 'package.tsconfig.json')], {
    stdio: ['ignore', 2, 2]
  })
  cpSync(path.join(root, '.segment'), path.join(dist, '.segment'), { recursive: true })
  const page = path.join(dist, 'src/tester-web')
  mkdirSync(page, { recursive: true })
  for (const { name, contents } of await bundlePage()) writeFileSync(path.join(page, name), contents)
}

build().catch((error: unknown) => {
  console.error(error)
  process.exitCode = 1
})
