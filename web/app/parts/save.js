// Gives the person a file, made here.

/** Saves text, or a Blob, as a file of this name. */
export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60e3); // the browser has begun to read it by then
}

/** One cell of comma-separated values; what a spreadsheet would take for a formula gets a mark, as api/csv.h says. */
function cell(text) {
  const guarded = /^'*[=+\-@\t\r]/.test(text) ? `'${text}` : text;
  return /["\r\n,;\t]/.test(guarded) ? `"${guarded.replaceAll('"', '""')}"` : guarded;
}

export const csv = (rows) => rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
