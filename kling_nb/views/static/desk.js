/**
 * The draft as this view sees it. Edits are shown at once; the first is sent at once and those that follow within a
 * short pause together. Drafts that come from elsewhere (Python, another view) replace it.
 */
const PAUSE = 60;

export function makeDesk(model, view) {
  let draft = model.get('draft');
  let edits = 0;
  let timer = null;
  let sent = 0;
  const listeners = new Set();
  const tell = () => listeners.forEach((listen) => listen(draft));

  const flush = () => {
    clearTimeout(timer);
    timer = null;
    sent = performance.now();
    model.set('draft', draft);
    model.save_changes();
  };
  const arrived = () => {
    const other = model.get('draft');
    if (String(other.edit).startsWith(`${view}:`)) return;
    clearTimeout(timer);
    timer = null;
    draft = other;
    tell();
  };
  model.on('change:draft', arrived);

  return {
    get draft() { return draft; },
    /** @param {Record<string, any>} change */
    edit(change) {
      draft = { ...draft, ...change, edit: `${view}:${++edits}` };
      tell();
      clearTimeout(timer);
      timer = setTimeout(flush, Math.max(0, sent + PAUSE - performance.now()));
    },
    listen(act) { listeners.add(act); act(draft); },
    close() {
      if (timer != null) flush();
      model.off('change:draft', arrived);
    },
  };
}
