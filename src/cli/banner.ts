import type { BootstrapResult } from '../accounts/seed-bootstrap.ts';
import type { App } from '../build-app.ts';
import type { ServedModel } from '../engines/registry.ts';
import { formatBytes } from './terminal.ts';

/** Shown once, on the first start: what was made, and a line that can be pasted. `modelId` is a served name. */
export function describeFirstStart(
  made: BootstrapResult,
  url: string,
  modelId = 'moonshot/kimi-k2-turbo-preview',
): string {
  const body = JSON.stringify({ model: modelId, messages: [{ role: 'user', content: 'Hello' }] });
  const lines = ['', 'First start: an administrator and an API key were made. They are shown only now.', ''];
  lines.push(`  e-mail    ${made.email}`);
  lines.push(`  password  ${made.isPasswordGenerated ? made.password : '(the one you chose)'}`);
  lines.push(`  API key   ${made.isApiKeyGenerated ? made.apiKey : '(the one you chose)'}`, '');
  lines.push('Try it:', '');
  const key = made.isApiKeyGenerated ? made.apiKey : '$PERIGEE_BOOTSTRAP_API_KEY';
  lines.push(`  curl ${url}/v1/chat/completions -H "Authorization: Bearer ${key}" \\`);
  lines.push(`    -H "Content-Type: application/json" -d '${body}'`, '');
  return lines.join('\n');
}

/** Which weights really answer under which name, and whether they can now. */
export async function describeModels(app: App): Promise<string> {
  const lines = app.models.list().map(describeModel);
  const seconds = (performance.now() / 1_000).toFixed(1);
  const { isReady } = await app.readiness();
  lines.push(isReady ? `Ready after ${seconds} s.` : 'Not ready: see above and GET /ready.');
  return lines.join('\n');
}

function describeModel({ id, engine }: ServedModel): string {
  const health = engine.health();
  if (health.state !== 'ready') return `${id} cannot answer yet. ${health.detail}`;
  const backing = engine.backing();
  const facts = [`a window of ${backing.contextTokens.toLocaleString('en')} tokens`];
  if (backing.sizeBytes !== undefined) facts.unshift(formatBytes(backing.sizeBytes));
  if (backing.licence !== undefined) facts.unshift(backing.licence);
  return `${id} is a name here: the answers come from ${backing.weights} (${facts.join(', ')}).`;
}
