import { blockShortcuts } from './dom.js';

/** Finished cards where an output cannot be replaced (marimo). The HTML is our own, escaped. @param {Rendered} view */
function renderCards({ model, el }) {
  blockShortcuts(el);
  const paint = () => { el.innerHTML = model.get('html'); };
  paint();
  model.on('change:html', paint);
  return () => model.off('change:html', paint);
}

export default { render: renderCards };
