import { h, icon, iconButton } from './dom.js';

/** Shows what went wrong in a callback: no cell would. @param {Model} model */
export function alertBox(model) {
  const message = h('b', {});
  const remedy = h('span', {});
  const el = h('div', { class: 'kn-alert', role: 'alert', hidden: true }, icon('warn'), h('div', {}, message, remedy), iconButton('close', 'Dismiss', () => { el.hidden = true; }));
  const show = (/** @type {Alert} */ alert) => {
    message.textContent = alert?.message ?? '';
    remedy.textContent = alert?.remedy ?? '';
    el.hidden = !alert?.message;
  };
  const paint = () => show(model.get('alert'));
  model.on('change:alert', paint);
  paint();
  return { el, show, close: () => model.off('change:alert', paint) };
}
