import { h, iconButton } from './dom.js';
import { icon } from './icons.js';

/** An error message with its remedy. A message shown from the browser can be withdrawn; one from Python cannot. @param {Model} model */
export function alertBox(model) {
  const message = h('b', {});
  const remedy = h('span', {});
  const el = h('div', { class: 'kn-alert', role: 'alert', hidden: true }, icon('warn'), h('div', {}, message, remedy), iconButton('dismiss', 'close', 'Dismiss', () => { el.hidden = true; }));
  let own = false;
  const put = (/** @type {Alert} */ alert) => {
    message.textContent = alert?.message ?? '';
    remedy.textContent = alert?.remedy ?? '';
    el.hidden = !alert?.message;
  };
  const show = (/** @type {Alert} */ alert) => { own = true; put(alert); };
  const withdraw = () => { if (own) el.hidden = true; };
  const paint = () => { own = false; put(model.get('alert')); };
  model.on('change:alert', paint);
  paint();
  return { el, show, withdraw, close: () => model.off('change:alert', paint) };
}
