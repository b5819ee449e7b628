import setUpChromium from './chromium'
import { lendPostgres } from './lend-postgres'

/** Jest's globalSetup. */
export default async function setUp(): Promise<void> {
  await setUpChromium()
  await lendPostgres()
}
