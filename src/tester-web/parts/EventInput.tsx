import { counted, titled } from '../model/words'
import {
  currentSample,
  eventText,
  findSample,
  pasteEventText,
  pasteNote,
  reading,
  samples,
  setEventText
} from '../state/inputs'
import { saved } from '../state/saved'
import { shareLink } from '../state/share'
import { Copy } from './Copy'
import { Editor } from './Editor'
import { Options } from './pieces'
import { SaveAs } from './SaveAs'

const OWN = 'own'

/** What the samples show; a file that is not here is called by its name. */
const TITLES: Record<string, string> = {
  identify: 'identify: the example of the docs',
  track: 'track: the example of the docs',
  'track-with-address': 'the same track with an address',
  spellings: 'Purchase Completed in three spellings',
  'order-completed': 'Order Completed from an online shop',
  anonymous: 'track of an anonymous visitor',
  server: 'identify from a server',
  'rudderstack-identify': 'identify from RudderStack',
  'rudderstack-track': 'track from RudderStack'
}

export function EventInput() {
  return (
    <div class="event-input">
      <label class="row">
        <span>Sample</span>
        <select
          value={currentSample.value ?? OWN}
          onChange={(event) => {
            const sample = findSample(({ name }) => name === event.currentTarget.value)
            if (sample) setEventText(sample.text)
          }}
        >
          <Options choices={samples.value.map(({ name }) => [name, TITLES[name] ?? titled(name)])} />
          <Options choices={saved.value.events.map(({ name }) => [name, name])} />
          <option value={OWN} disabled>
            Your own
          </option>
        </select>
      </label>
      <Editor label="Event as JSON" text={eventText.value} change={setEventText} paste={pasteEventText} />
      <p class="editor-state" role="status">
        <EditorState />
      </p>
      <div class="row spread tools">
        <SaveAs folder="events" text={() => eventText.value} />
        <Copy label="Copy a link" text={shareLink} />
      </div>
    </div>
  )
}

function EditorState() {
  const { mistake } = reading.value
  if (mistake) {
    return (
      <span class="bad">
        Line {mistake.line}: {mistake.message} {pasteNote.value}
      </span>
    )
  }
  const { events, isBatch } = reading.value
  return (
    <span class="quiet">
      {isBatch ? `A batch of ${counted(events.length, 'event')}` : 'One event'}
      {pasteNote.value && `, read from ${pasteNote.value}`}
    </span>
  )
}
