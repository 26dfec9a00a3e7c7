/**
 * Create an element: attributes, `on` with listeners, and children.
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Record<string, any>} [props]
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function h(tag, props = {}, ...children) {
  const el = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value == null || value === false) continue;
    if (name === 'on') for (const [event, act] of Object.entries(value)) el.addEventListener(event, act);
    else el.setAttribute(name, value === true ? '' : value);
  }
  for (const child of children) if (child != null && child !== false) el.append(child);
  return el;
}

/** A button with a text. @param {string} action @param {string} text @param {(event: MouseEvent) => void} act @param {Record<string, any>} [props] */
export const button = (action, text, act, props = {}) => h('button', { type: 'button', class: 'knl-button', 'data-action': action, on: { click: act }, ...props }, text);

/** Seconds as on a clock. @param {number} seconds */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, String(whole % 60).padStart(2, '0')];
  return hours ? `${hours}:${String(minutes).padStart(2, '0')}:${rest}` : `${minutes}:${rest}`;
}

/** An amount of dollars. @param {string|number} amount */
export const dollars = (amount) => `$${Number(amount).toLocaleString('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;
