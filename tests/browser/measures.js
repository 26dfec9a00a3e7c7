// Layout faults in a part of a page: overflow, cut text, and controls that are too small.
(() => {
  const visible = (el) => el.checkVisibility({ checkOpacity: false, checkVisibilityCSS: true }) && el.getClientRects().length > 0;
  const name = (el) => `${el.tagName.toLowerCase()}.${[...el.classList].join('.')} ${(el.getAttribute('aria-label') ?? el.textContent ?? '').trim().slice(0, 40)}`;
  const scrolls = (el, root) => {
    for (let up = el.parentElement; up && up !== root.parentElement; up = up.parentElement) {
      if (['auto', 'scroll'].includes(getComputedStyle(up).overflowX)) return true;
    }
    return false;
  };
  const hiddenOnPurpose = (el) => Boolean(el.closest('.kn-sr-only, [aria-hidden=true], option'));

  /** Elements that overflow on a side, and text that is cut without an ellipsis. */
  const overflows = (root) => {
    const { left, right } = root.getBoundingClientRect();
    const found = [];
    for (const el of [root, ...root.querySelectorAll('*')]) {
      if (!visible(el) || hiddenOnPurpose(el)) continue;
      const box = el.getBoundingClientRect();
      if ((box.right > right + 1 || box.left < left - 1) && !scrolls(el, root)) found.push(`overflows by ${Math.round(Math.max(box.right - right, left - box.left))}: ${name(el)}`);
      const style = getComputedStyle(el);
      const cut = el.scrollWidth > el.clientWidth + 1 && style.overflowX === 'hidden' && style.textOverflow !== 'ellipsis';
      if (cut && !['VIDEO', 'IMG', 'TEXTAREA'].includes(el.tagName)) found.push(`cut by ${el.scrollWidth - el.clientWidth}: ${name(el)}`);
    }
    return found;
  };

  /** Controls smaller than 24 by 24 px; a control in a label counts with the size of the label. */
  const small = (root, but) => [...root.querySelectorAll('button, input, select, textarea, summary, a[href], [tabindex="0"]')]
    .filter((el) => visible(el) && !hiddenOnPurpose(el) && !(but && el.matches(but)))
    .map((el) => [el, (el.closest('label') ?? el).getBoundingClientRect()])
    .filter(([, { width, height }]) => width < 23.5 || height < 23.5)
    .map(([el, { width, height }]) => `${Math.round(width)} x ${Math.round(height)}: ${name(el)}`);

  return { overflows, small };
})()
