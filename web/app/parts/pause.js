// Pausing a destination: for how long, and why; and resuming it.
import { useState } from 'preact/hooks';
import { request, segment } from '/app/api.js';
import { html } from '/app/html.js';
import { t } from '/app/i18n.js';
import { Confirm } from '/app/parts/dialog.js';
import { Input, Select } from '/app/parts/form.js';
import { toast } from '/app/parts/toast.js';

const TIMES = ['', '+1h', '+4h', '+24h'];

const change = (name, paused) => request('PATCH', `/queue/destinations/${segment(name)}`, { body: { paused } });

export function Pause({ name, onDone, onClose }) {
  const [until, setUntil] = useState('');
  const [reason, setReason] = useState('');
  const run = async () => {
    await change(name, { until: until || null, reason: reason.trim() || null });
    toast(t('pause.done', { name }));
    await onDone();
  };
  return html`<${Confirm} title=${t('pause.title', { name })} verb=${t('pause.verb')} run=${run} onClose=${onClose}>
    <p>${t('pause.text')}</p>
    <${Select} label=${t('pause.until')} name="until" value=${until}
      options=${TIMES.map((one) => [one, t(one === '' ? 'pause.until.resumed' : `choose.time.${one.slice(1)}`)])}
      onInput=${(event) => setUntil(event.target.value)} />
    <${Input} label=${t('pause.reason')} name="reason" maxlength="200" autocomplete="off" value=${reason}
      onInput=${(event) => setReason(event.target.value)} />
  <//>`;
}

export async function resume(name, onDone) {
  try {
    await change(name, null);
    toast(t('pause.over', { name }));
  } catch {
    toast(t('failure.refused'));
  }
  await onDone();
}
