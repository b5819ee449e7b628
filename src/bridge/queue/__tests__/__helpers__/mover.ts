import { moveStore } from '../..'

/*
 * A move in a process of its own, to be killed: says how far it is.
 */
const [from, to, secret] = process.argv.slice(2)
void moveStore(from, to, { secret, progress: (done) => process.send?.(done) }).then(
  () => process.disconnect(),
  (error: Error) => {
    console.error(error.message)
    process.exit(1)
  }
)
