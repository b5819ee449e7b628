import path from 'node:path'
import { loadDefinition } from '../../actions-cli/load'
import { catalogPageFiles } from '../catalog-page'

const emailsendx = path.resolve(__dirname, '../../../definitions/emailsendx')

describe("the page for Segment's docs", () => {
  it('shows every setting, preset, action and field, and says which are required', async () => {
    const { definition, folder } = await loadDefinition(emailsendx)
    const [{ content }] = await catalogPageFiles({ definition, folder })
    const actions = Object.values(definition.actions)
    const labels = [definition.authentication?.fields ?? {}, ...actions.map(({ fields }) => fields)]
      .flatMap((fields) => Object.values(fields))
      .filter((field) => !('unsafe_hidden' in field && field.unsafe_hidden))
      .map(({ label }) => label)
    for (const label of labels) expect(content).toContain(`| ${label}`)
    for (const { name } of definition.presets ?? []) expect(content).toContain(`| ${name} `)
    for (const { title } of actions) expect(content).toContain(`### ${title}\n`)
    expect(content).toContain('| API Key\\*')
  })

  it('leaves out what customers do not see, and describes defaults as people would', async () => {
    const { definition } = await loadDefinition(emailsendx)
    const { identifyContact } = definition.actions
    const fields = {
      secret: { label: 'Secret Size', description: 'Nobody sees this.', type: 'number' as const, unsafe_hidden: true },
      email: {
        label: 'Email',
        description: 'Where mail goes | first.',
        type: 'string' as const,
        default: {
          '@if': {
            blank: { '@path': '$.traits.email' },
            then: { '@path': '$.userId' },
            else: { '@path': '$.traits.email' }
          }
        }
      }
    }
    const [{ content }] = await catalogPageFiles({
      folder: emailsendx,
      definition: { ...definition, actions: { identifyContact: { ...identifyContact, fields } }, presets: [] }
    })
    expect(content).not.toContain('Secret Size')
    expect(content).toMatch(/\| Email +\| Where mail goes \\\| first\. +\| `userId`, else `traits\.email` +\|/)
  })
})
