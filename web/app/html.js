// html`…` makes Preact nodes. Text is always set as text; nothing here writes markup.
import { h } from 'preact';
import htm from 'htm';

export const html = htm.bind(h);
