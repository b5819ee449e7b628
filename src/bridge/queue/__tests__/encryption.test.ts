import fc from 'fast-check'
import { anyCharacter } from '../../../../__tests__/__helpers__/any-character'
import { QueueUnusable } from '..'
import { Encryption } from '../encryption'

const encryption = new Encryption('a secret for tests, long enough')
const other = new Encryption('a secret for tests, and another')

it('gives back what it encrypted, and nobody else does', () => {
  fc.assert(
    fc.property(fc.string({ unit: anyCharacter }), (apiKey) => {
      const encrypted = encryption.encrypt(apiKey)
      expect(encryption.decrypt(encrypted)).toBe(Buffer.from(apiKey).toString())
      expect(() => other.decrypt(encrypted)).toThrow()
    })
  )
})

it('notices that something was changed', () => {
  const encrypted = Buffer.from(encryption.encrypt('esx_live_key'), 'base64url')
  for (let place = 0; place < encrypted.length; place++) {
    const changed = Buffer.from(encrypted)
    changed[place] ^= 1
    expect(() => encryption.decrypt(changed.toString('base64url'))).toThrow()
  }
  expect(() => encryption.decrypt('')).toThrow()
})

it('encrypts differently each time, and fingerprints always the same', () => {
  expect(encryption.encrypt('key')).not.toBe(encryption.encrypt('key'))
  expect(encryption.fingerprint('key')).toBe(new Encryption('a secret for tests, long enough').fingerprint('key'))
  expect(encryption.fingerprint('key')).not.toBe(other.fingerprint('key'))
  expect(encryption.fingerprint('key')).not.toContain('key')
})

it('does not take a secret that can be guessed', () => {
  expect(() => new Encryption('short')).toThrow(QueueUnusable)
})
