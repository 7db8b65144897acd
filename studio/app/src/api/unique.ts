/** unique is a word that nobody else has. crypto.randomUUID would give one too, but not on pages that came by plain HTTP from another machine. */
export const unique = (): string => [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
