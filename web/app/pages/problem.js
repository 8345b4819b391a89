// What an error means: where the `type` of a problem leads.
import { html } from '/app/html.js';
import { has, needWords, t } from '/app/i18n.js';
import { Heading } from '/app/parts/page.js';

await needWords('problems');

export default function Problem({ name }) {
  const known = has(`problem.${name}`);
  return html`<div class="near"><p class="crumb mono">/problems/${name}</p>
    <${Heading} title=${known ? t(`problem.${name}`) : t('not-found.title')} />
    <p>${known ? t(`problems.${name}`) : t('not-found.text')}</p></div>`;
}
