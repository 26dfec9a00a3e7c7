import { h, icon, iconButton } from './dom.js';

/** Shows what went wrong in a callback: no cell would. What was shown from here can be taken back, what Python says cannot. @param {Model} model */
export function alertBox(model) {
  const message = h('b', {});
  const remedy = h('span', {});
  const el = h('div', { class: 'kn-alert', role: 'alert', hidden: true }, icon('warn'), h('div', {}, message, remedy), iconButton('close', 'Dismiss', () => { el.hidden = true; }));
  let own = false;
  const put = (/** @type {Alert} */ alert) => {
    message.textContent = alert?.message ?? '';
    remedy.textContent = alert?.remedy ?? '';
    el.hidden = !alert?.message;
  };
  const show = (/** @type {Alert} */ alert) => { own = true; put(alert); };
  const takeBack = () => { if (own) el.hidden = true; };
  const paint = () => { own = false; put(model.get('alert')); };
  model.on('change:alert', paint);
  paint();
  return { el, show, takeBack, close: () => model.off('change:alert', paint) };
}
