import { defaultKeymap, history, historyKeymap } from '@codemirror/commands'
import { json } from '@codemirror/lang-json'
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting
} from '@codemirror/language'
import { linter, lintGutter } from '@codemirror/lint'
import { Annotation, EditorState } from '@codemirror/state'
import type { ChangeSet } from '@codemirror/state'
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view'
import { tags } from '@lezer/highlight'
import { useEffect, useRef } from 'preact/hooks'
import { rangeOfEvent, readEvents } from '../model/events'
import { eventToShow } from '../state/inputs'

interface EditorProps {
  label: string
  text: string
  change: (text: string) => void
  /** The same, of a text that came at once. Returns what to show in its place, which may be the `text` that is known already. */
  paste: (text: string) => string
}

/** A JSON editor. A mistake is shown where it is. */
export function Editor({ label, text, change, paste }: EditorProps) {
  const place = useRef<HTMLDivElement>(null)
  const view = useRef<EditorView | undefined>(undefined)

  useEffect(() => {
    if (!place.current) return
    const editor = new EditorView({
      parent: place.current,
      state: EditorState.create({ doc: text, extensions: extensions({ label, change, paste }) })
    })
    view.current = editor
    return () => editor.destroy()
  }, [])

  useEffect(() => {
    if (view.current) show(text, view.current)
  }, [text])

  const shown = eventToShow.value
  useEffect(() => {
    const editor = view.current
    if (!editor || !shown) return
    const { from, to } = rangeOfEvent(editor.state.doc.toString(), shown.index)
    editor.dispatch({ selection: { anchor: from, head: to }, effects: EditorView.scrollIntoView(from, { y: 'start' }) })
    editor.focus()
    eventToShow.value = undefined
  }, [shown])

  return <div class="editor" ref={place} />
}

/** A change that the page has made. Told of it, the page would take a text that has been replaced since for a new one, for ever. */
const byPage = Annotation.define<boolean>()

function show(text: string, editor: EditorView): void {
  if (editor.state.doc.toString() === text) return
  editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text }, annotations: byPage.of(true) })
}

const nonce = document.querySelector('script')?.nonce ?? ''

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: 'var(--json-key)' },
  { tag: tags.string, color: 'var(--json-text)' },
  { tag: [tags.number, tags.bool, tags.null], color: 'var(--json-value)' }
])

const mistakes = linter(
  ({ state }) => {
    const { mistake } = readEvents(state.doc.toString())
    return mistake ? [{ ...mistake, severity: 'error' }] : []
  },
  { delay: 120 }
)

/** Nobody types so much at once: it is pasted. */
const MIN_PASTED = 12

function longestInsertion(changes: ChangeSet): number {
  let longest = 0
  changes.iterChanges((_from, _to, _fromNew, _toNew, inserted) => (longest = Math.max(longest, inserted.length)))
  return longest
}

function extensions({ label, change, paste }: Omit<EditorProps, 'text'>) {
  return [
    EditorView.cspNonce.of(nonce),
    EditorView.contentAttributes.of({ 'aria-label': label, tabindex: '0' }),
    EditorView.lineWrapping,
    EditorView.updateListener.of((update) => {
      if (!update.docChanged || update.transactions.some((transaction) => transaction.annotation(byPage))) return
      const text = update.state.doc.toString()
      const isUndo = update.transactions.some((transaction) => transaction.isUserEvent('undo'))
      if (isUndo || longestInsertion(update.changes) < MIN_PASTED) change(text)
      else show(paste(text), update.view)
    }),
    EditorState.tabSize.of(2),
    lineNumbers(),
    foldGutter(),
    lintGutter(),
    history(),
    drawSelection(),
    highlightActiveLine(),
    bracketMatching(),
    indentOnInput(),
    syntaxHighlighting(colours),
    json(),
    mistakes,
    keymap.of([...defaultKeymap, ...historyKeymap, ...foldKeymap])
  ]
}
