import fc from 'fast-check'
import { SpoolUnusable } from '..'
import { Vault } from '../vault'

const vault = new Vault('a secret for tests, long enough')
const other = new Vault('a secret for tests, and another')

it('gives back what it sealed, and nobody else does', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (apiKey) => {
      const sealed = vault.seal(apiKey)
      expect(vault.unseal(sealed)).toBe(Buffer.from(apiKey).toString())
      expect(() => other.unseal(sealed)).toThrow()
    })
  )
})

it('notices that something was changed', () => {
  const sealed = Buffer.from(vault.seal('esx_live_key'), 'base64url')
  for (let place = 0; place < sealed.length; place++) {
    const changed = Buffer.from(sealed)
    changed[place] ^= 1
    expect(() => vault.unseal(changed.toString('base64url'))).toThrow()
  }
  expect(() => vault.unseal('')).toThrow()
})

it('seals differently each time, and fingerprints always the same', () => {
  expect(vault.seal('key')).not.toBe(vault.seal('key'))
  expect(vault.fingerprint('key')).toBe(new Vault('a secret for tests, long enough').fingerprint('key'))
  expect(vault.fingerprint('key')).not.toBe(other.fingerprint('key'))
  expect(vault.fingerprint('key')).not.toContain('key')
})

it('does not take a secret that can be guessed', () => {
  expect(() => new Vault('short')).toThrow(SpoolUnusable)
})
