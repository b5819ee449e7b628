import { readOptions } from '../options'

describe('the delivery options of a request', () => {
  it('are none by default', () => expect(readOptions({}, { accept: '*/*' })).toEqual({}))

  it('are query parameters, in whatever spelling', () => {
    const options = {
      listId: 'clx_list_newsletter_id',
      eventNameForm: 'as_sent',
      unknownContact: 'create',
      maxAgeHours: 24
    }
    expect(
      readOptions(
        {
          listId: 'clx_list_newsletter_id',
          'event-name-form': 'as_sent',
          unknown_contact: 'create',
          MAXAGEHOURS: '24'
        },
        {}
      )
    ).toEqual(options)
  })

  it('are headers, which a query parameter beats', () =>
    expect(
      readOptions(
        { listId: 'from_query' },
        { 'x-emailsendx-list-id': 'from_header', 'x-emailsendx-max-age-hours': '1.5' }
      )
    ).toEqual({ listId: 'from_query', maxAgeHours: 1.5 }))

  it.each([
    [{ list: 'x' }, 'unknown option list: the options are listId, eventNameForm, unknownContact, maxAgeHours'],
    [{ 'morgan@acme.com': '1' }, 'unknown option : the options'],
    [{ listId: '' }, 'option listId is no list id'],
    [{ listId: 'a b' }, 'option listId is no list id'],
    [{ listId: ['a', 'b'] }, 'option listId is given twice'],
    [{ eventNameForm: 'Normalized' }, 'option eventNameForm is normalized or as_sent'],
    [{ unknownContact: 'drop' }, 'option unknownContact is wait, create or skip'],
    [{ maxAgeHours: 'soon' }, 'option maxAgeHours is a number of hours'],
    [{ maxAgeHours: '' }, 'option maxAgeHours is at least 1'],
    [{ maxAgeHours: '-1' }, 'option maxAgeHours is at least 1'],
    [{ maxAgeHours: 'Infinity' }, 'option maxAgeHours is a number of hours']
  ])('refuses %j', (query, problem) => expect(() => readOptions(query as Record<string, string>, {})).toThrow(problem))
})
