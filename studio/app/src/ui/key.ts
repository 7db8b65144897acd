// Keys of rows. In addresses a key stands in its canonical form: its columns,
// percent-encoded, joined by commas. The API gives and takes it so.

/** canonical is a key that a person typed, as it stands in addresses; one that is so already stays. */
export const canonical = (text: string): string => (text.includes('%') ? text.trim() : text.trim().split(',').map(encodeURIComponent).join(','));
