// Texts with expressions in them.

/** replaced is a text with another expression in its at-th {{ }}; quotes inside an expression may hold braces. */
export function replaced(text: string, at: number, expression: string): string {
  let seen = 0;
  return text.replace(/\{\{(?:"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|(?!\}\})[\s\S])*\}\}/g, (whole) => {
    if (/^\{\{\s*([#/]|if\b|else\b|end\b|for\b)/.test(whole)) return block(whole, () => seen++ === at, expression);
    return seen++ === at ? `{{ ${expression} }}` : whole;
  });
}

// A block's own expression counts too; an end or a bare else has none.
function block(whole: string, mine: () => boolean, expression: string): string {
  const found = /^(\{\{\s*(?:if|else if|for\s+[\w\s,]+?\s+in|#if|#unless|#each)\s+)([\s\S]*?)(\s*\}\})$/.exec(whole);
  return found && mine() ? `${found[1]}${expression}${found[3]}` : whole;
}
