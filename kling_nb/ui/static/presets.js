import { keptMenu, nameLine } from './kept.js';

/** The presets: what is on the screen is kept under a name, and comes back from there. @param {Pick<Shared, 'model'|'desk'>} shared */
export function presetMenu({ model, desk }) {
  const line = nameLine({ label: 'Keep this request as …', away: () => menu.shut(), words: (name) => (name && menu.names().includes(name) ? 'Replace' : 'Keep'),
    act: (name) => model.send({ kind: 'save', what: 'preset', name, draft: desk.draft }) });
  const menu = keptMenu({ model, what: 'preset', title: 'Presets', none: 'Nothing is kept yet. A preset is a request with its pictures, under a name.', end: line.el,
    take: (name) => model.send({ kind: 'load', name }), opened: () => line.input.focus() });
  return menu;
}
