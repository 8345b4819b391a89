// docs/api.md from api/openapi.yaml: `node tests/web/api-docs.mjs --write`; contract.test.mjs compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const METHODS = ['get', 'put', 'post', 'patch', 'delete'];

const cell = (text) => (text ?? '').replace(/\s+/g, ' ').trim().replaceAll('|', '\\|');

function words(schema) {
  if (schema === undefined) return '';
  if (schema.$ref) return schema.$ref.split('/').pop();
  if (schema.enum) return schema.enum.join(' ');
  if (schema.type === 'array') return `${words(schema.items)}, repeated`;
  return [schema.type].flat().join(' or ');
}

/** The document as Markdown. */
export function apiDocs(contract) {
  const resolve = (one) => (one.$ref ? contract.components.parameters[one.$ref.split('/').pop()] : one);
  const groups = new Map();
  for (const [path, item] of Object.entries(contract.paths)) {
    for (const method of METHODS.filter((name) => name in item)) {
      const tag = item[method].tags?.[0] ?? 'other';
      const outside = item.servers !== undefined || item[method].servers !== undefined;
      const parameters = [...(item.parameters ?? []), ...(item[method].parameters ?? [])].map(resolve);
      groups.set(tag, [...(groups.get(tag) ?? []), { ...item[method], path: outside ? path : `/api/v1${path}`, method, parameters }]);
    }
  }
  const out = ['# REST API', '', 'Made from `api/openapi.yaml`, which is the contract and is served at `/api/v1/openapi.yaml`.', ''];
  for (const [tag, operations] of groups) {
    out.push(`## ${tag}`, '');
    for (const one of operations) {
      out.push(`### \`${one.method.toUpperCase()} ${one.path}\``, '');
      out.push(`Scope: ${one['x-scope'] === 'none' ? 'none' : one['x-scope'] === 'any' ? 'signed in' : `\`${one['x-scope']}\``}. ${cell(one.summary)}`.trim(), '');
      const body = one.requestBody?.content?.['application/json']?.schema ?? one.requestBody?.content?.['application/merge-patch+json']?.schema;
      if (body) out.push(`Body: ${words(body) || 'object'}.`, '');
      const given = one.parameters.filter((parameter) => parameter.in !== 'path');
      if (given.length > 0) {
        out.push('| parameter | in | value | |', '| --- | --- | --- | --- |');
        for (const parameter of given)
          out.push(`| \`${parameter.name}\` | ${parameter.in} | ${cell(words(parameter.schema))} | ${cell(parameter.description)} |`);
        out.push('');
      }
      out.push(`Answers: ${Object.keys(one.responses).map((code) => (code === 'default' ? 'a problem' : code)).join(', ')}.`, '');
    }
  }
  out.push('## Problems', '', cell(contract.components.schemas.Problem.properties.type.description), '');
  return out.join('\n');
}

export const CONTRACT = `${ROOT}api/openapi.yaml`;
export const DOCS = `${ROOT}docs/api.md`;

if (process.argv[2] === '--write') writeFileSync(DOCS, apiDocs(parse(readFileSync(CONTRACT, 'utf8'))));
