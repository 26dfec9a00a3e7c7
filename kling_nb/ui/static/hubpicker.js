import { h } from './dom.js';

/** The choice of a provider, each with its price of this request; hidden unless there are two. @param {Pick<Shared, 'model'|'store'>} shared */
export function hubPicker({ model, store }) {
  const select = /** @type {HTMLSelectElement} */ (h('select', { class: 'kn-select kn-hub', 'aria-label': 'Provider', hidden: true, on: { change: () => store.edit({ hub: select.value }, 'hub') } }));
  const note = h('div', { class: 'kn-hub-note', role: 'status', hidden: true });
  let shown = '';
  const paint = () => {
    const { hubs = [], hub = '', uploads = '' } = model.get('verdict');
    const offers = JSON.stringify(hubs);
    if (offers !== shown) select.replaceChildren(...hubs.map((each) => h('option', { value: each.id, text: `${each.title} · ${each.price}` })));
    shown = offers;
    select.hidden = hubs.length < 2;
    select.value = hub;
    note.textContent = uploads;
    note.hidden = !uploads;
  };
  return { el: note, select, paint };
}
