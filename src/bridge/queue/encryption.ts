import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { QueueUnusable } from './errors'

const MIN_SECRET_LENGTH = 16
const NONCE_BYTES = 12
const TAG_BYTES = 16

/** Keeps API keys secret at rest: they are stored encrypted, and a partition is found by a fingerprint that tells nothing. */
export class Encryption {
  private readonly encryptionKey: Buffer
  private readonly fingerprinting: Buffer

  constructor(secret: string) {
    if (secret.length < MIN_SECRET_LENGTH) {
      throw new QueueUnusable(`The bridge's secret is too short: give at least ${MIN_SECRET_LENGTH} characters.`)
    }
    this.encryptionKey = derive(secret, 'sealing of API keys')
    this.fingerprinting = derive(secret, 'fingerprints of API keys')
  }

  /** Always the same for the same key and secret. */
  fingerprint(apiKey: string): string {
    return createHmac('sha256', this.fingerprinting).update(apiKey).digest('hex')
  }

  /** AES-256-GCM: nonce, tag, cipher text. Different each time. */
  encrypt(apiKey: string): string {
    const nonce = randomBytes(NONCE_BYTES)
    const cipher = createCipheriv('aes-256-gcm', this.encryptionKey, nonce)
    const encrypted = Buffer.concat([cipher.update(apiKey, 'utf8'), cipher.final()])
    return Buffer.concat([nonce, cipher.getAuthTag(), encrypted]).toString('base64url')
  }

  /** @throws when it was encrypted with another secret, or tampered with. */
  decrypt(encrypted: string): string {
    const bytes = Buffer.from(encrypted, 'base64url')
    const decipher = createDecipheriv('aes-256-gcm', this.encryptionKey, bytes.subarray(0, NONCE_BYTES))
    decipher.setAuthTag(bytes.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES))
    return Buffer.concat([decipher.update(bytes.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]).toString('utf8')
  }

  /** Undefined where it can't be decrypted. */
  tryDecrypt(encrypted: string): string | undefined {
    try {
      return this.decrypt(encrypted)
    } catch {
      return undefined
    }
  }
}

function derive(secret: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, '', `emailsendx bridge: ${purpose}`, 32))
}

/** Writes a secret into a file that only its owner may read, where another store finds it. */
export function keepSecret(file: string, secret: string): void {
  if (!existsSync(file)) writeFileSync(file, `${secret}\n`, { mode: 0o600, flag: 'wx', flush: true })
  if (secretFrom(file) !== secret) {
    throw new QueueUnusable(`There is another secret in ${file}. Remove it if no store needs it any more.`)
  }
}

/** The secret in a file that only its owner may read; made with a random one when there is none. */
export function secretFrom(file: string): string {
  try {
    if (!existsSync(file))
      writeFileSync(file, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600, flag: 'wx', flush: true })
    if (process.platform !== 'win32' && (statSync(file).mode & 0o077) !== 0) {
      throw new QueueUnusable(`Others can read the secret in ${file}. Run: chmod 600 ${file}`)
    }
    return readFileSync(file, 'utf8').trim()
  } catch (error) {
    if (error instanceof QueueUnusable) throw error
    throw new QueueUnusable(`The file for the store's secret can't be used: ${(error as Error).message}.`, {
      cause: error
    })
  }
}
