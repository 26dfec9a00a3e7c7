/**
 * Words for prompts by group, each with its effect. `/` in a prompt completes them.
 * @type {{group: string, words: [string, string][]}[]}
 */
export const WORDS = [
  { group: 'Shot', words: [
    ['wide shot', 'the whole place'], ['establishing shot', 'where we are'], ['full shot', 'head to feet'], ['medium shot', 'from the waist up'],
    ['medium close-up', 'head and shoulders'], ['close-up', 'the face'], ['extreme close-up', 'an eye, a hand'], ['macro shot', 'tiny things, very close'],
    ['over the shoulder', 'past one person at another'], ['two-shot', 'two people'], ['low angle', 'from below: tall, strong'], ['high angle', 'from above: small'],
    ['overhead shot', 'straight down'], ['point of view', 'through the eyes of a character'], ['Dutch angle', 'tilted: uneasy'],
  ] },
  { group: 'Camera', words: [
    ['static camera', 'does not move'], ['locked-off tripod shot', 'not even a tremble'], ['slow dolly in', 'the camera comes closer'], ['dolly out', 'the camera moves away'],
    ['pan left', 'turns to the left'], ['pan right', 'turns to the right'], ['tilt up', 'turns upwards'], ['tilt down', 'turns downwards'],
    ['tracking shot', 'moves along with the subject'], ['arc shot', 'circles around the subject'], ['orbit around', 'a full circle'], ['crane up', 'rises'],
    ['handheld camera', 'slightly shaky'], ['steadicam', 'floats after the subject'], ['drone shot', 'flies'], ['slow zoom in', 'only the lens moves'],
    ['dolly zoom', 'the background stretches'], ['whip pan', 'a very fast turn'], ['rack focus', 'sharpness moves to another subject'],
  ] },
  { group: 'Lens', words: [
    ['24mm wide-angle lens', 'wide, deep'], ['35mm lens', 'natural, some surroundings'], ['50mm lens', 'as the eye sees'], ['85mm portrait lens', 'flattering faces'],
    ['200mm telephoto lens', 'flat: distant things look close'], ['100mm macro lens', 'tiny things'], ['anamorphic lens', 'wide screen, oval highlights'], ['fisheye lens', 'curved edges'],
    ['shallow depth of field', 'only the subject is sharp'], ['deep focus', 'everything is sharp'], ['soft bokeh', 'blurred lights behind'], ['lens flare', 'light spills into the lens'],
    ['35mm film grain', 'the fine grain of film'],
  ] },
  { group: 'Light', words: [
    ['golden hour', 'low, warm sun'], ['blue hour', 'after sunset'], ['overcast light', 'soft, without shadows'], ['hard sunlight', 'sharp shadows'],
    ['soft window light', 'from one side'], ['backlit', 'the light is behind'], ['rim light', 'a bright outline'], ['low-key lighting', 'mostly dark'],
    ['high-key lighting', 'mostly bright'], ['candlelight', 'warm, flickering'], ['neon light', 'coloured, at night'], ['moonlight', 'cold, dim'],
    ['volumetric light', 'visible rays'], ['practical lights', 'lamps in the picture'], ['silhouette', 'a dark shape against the light'],
  ] },
  { group: 'Motion', words: [
    ['in slow motion', 'time stretched'], ['time-lapse', 'hours in seconds'], ['in one continuous take', 'without a cut'], ['strolls', 'walks at an easy pace'],
    ['sprints', 'runs fast'], ['turns to the camera', 'looks at us'], ['looks over the shoulder', 'a glance back'], ['leans in', 'comes nearer'],
    ['hair moves in the wind', 'small, natural motion'], ['steam rises', 'for food and drinks'], ['dust drifts in the light', 'visible haze'], ['water ripples', 'a calm surface'],
    ['leaves fall', 'slow, downwards'], ['the crowd passes by in a blur', 'a still subject among others'],
  ] },
];

const MOST = 8;

/**
 * The completion of a word at the caret: a slash at the start or after a space, and letters. The words that begin with
 * the letters come first, then those that contain them.
 * @param {string} text @param {number} caret
 * @returns {{start: number, options: {text: string, note: string}[]}|null}
 */
export function wordsAt(text, caret) {
  const begun = /(?:^|[\s(])\/([\p{L}\d -]{0,24})$/u.exec(text.slice(0, caret));
  if (!begun) return null;
  const query = begun[1].toLowerCase();
  if (/^\s|\s{2}/.test(query)) return null;
  const all = WORDS.flatMap(({ group, words }) => words.map(([word, note]) => ({ text: word, note: `${group}: ${note}`, group: group.toLowerCase() })));
  const rank = (/** @type {typeof all[number]} */ word) => (word.text.toLowerCase().startsWith(query) ? 0 : word.text.toLowerCase().includes(query) ? 1 : word.group.startsWith(query) ? 2 : word.note.toLowerCase().includes(query) ? 3 : 4);
  const found = all.map((word) => ({ word, rank: rank(word) })).filter((each) => each.rank < 4).sort((a, b) => a.rank - b.rank).map((each) => each.word);
  const options = query ? found.slice(0, MOST) : WORDS.flatMap(({ group, words }) => words.slice(0, 2).map(([word, note]) => ({ text: word, note: `${group}: ${note}` })));
  return options.length ? { start: caret - begun[1].length - 1, options: options.map(({ text: word, note }) => ({ text: word, note })) } : null;
}
