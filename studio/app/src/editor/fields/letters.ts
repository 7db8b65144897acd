// The routes about expressions count letters (code points), the browser counts
// UTF-16 units.

/** lettersAt is the count of letters before an offset in UTF-16 units. */
export const lettersAt = (text: string, units: number): number => [...text.slice(0, units)].length;

/** unitsAt is the offset in UTF-16 units behind so many letters. */
export const unitsAt = (text: string, letters: number): number => [...text].slice(0, letters).join('').length;
