// Prints the length and the mentions of each prompt in a JSON file, for a comparison with Python.
import { readFileSync } from 'node:fs';
import { characterCount } from '../../../kling_nb/ui/static/format.js';
import { mentionsIn } from '../../../kling_nb/ui/static/mentions.js';

const read = (text) => [characterCount(text), mentionsIn(text).map(({ start, written, name }) => [start, written, name])];
console.log(JSON.stringify(JSON.parse(readFileSync(process.argv[2], 'utf-8')).map(read)));
