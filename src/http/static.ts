/**
 * The web app below `/app/`: files of the build by their exact names, and the one page for every other address, because
 * the page itself reads the address. Files are looked up in a table, never on disk by what a request says.
 */
import { createReadStream } from 'node:fs';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { ApiError } from '../errors.ts';
import type { WebFile, WebFiles } from '../web-files.ts';

/** A year, as RFC 9111 readers understand "for ever". */
const immutable = 'public, max-age=31536000, immutable';
/** The page names the files of one build: it is asked for anew each time, and mostly answered by 304. */
const revalidated = 'no-cache';

/** The page that shows the API reference sits in a frame of the app, and its styles are made by its script. */
export const referencePage = 'reference.html';

/** Registers `/`, `/app` and everything below. Not in docs/openapi.json: these are pages, not operations. */
export function registerWebApp(app: FastifyInstance, files: WebFiles): void {
  const schema = { hide: true };
  app.get('/', { schema }, (_request, reply) => reply.redirect('/app/', 302));
  app.get('/app', { schema }, (request, reply) => sendPage(files, request, reply));
  app.get<{ Params: { '*': string } }>('/app/*', { schema }, (request, reply) => {
    const name = request.params['*'];
    const file = files.get(name);
    if (file !== undefined && name !== 'index.html') return sendFile(file, name, request, reply);
    // A missing file must not be answered by a page: a browser would try to run it.
    if (name.startsWith('assets/')) throw new ApiError('route_not_found');
    return sendPage(files, request, reply);
  });
}

function sendPage(files: WebFiles, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const page = files.get('index.html');
  if (page !== undefined) return sendFile(page, 'index.html', request, reply);
  return reply
    .code(503)
    .header('content-type', 'text/plain; charset=utf-8')
    .header('cache-control', 'no-store')
    .send(
      'The web app is not built. Run `npm run build` once, or start the server by `npm start`. The API works.\n',
    );
}

function sendFile(file: WebFile, name: string, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  for (const [header, value] of Object.entries(securityHeaders(file, name))) reply.header(header, value);
  reply
    .header('content-type', file.contentType)
    .header('cache-control', file.isImmutable ? immutable : revalidated)
    .header('vary', 'Accept-Encoding');
  const encoding = file.encodings.find((each) =>
    acceptsEncoding(request.headers['accept-encoding'], each.name),
  );
  // One tag per representation (RFC 9110, 8.8.3): caches must not mix them up.
  const etag = encoding === undefined ? file.etag : file.etag.replace(/"$/, `-${encoding.name}"`);
  reply.header('etag', etag);
  if (matchesTag(request.headers['if-none-match'], etag)) return reply.code(304).send();
  const sent = encoding ?? file;
  if (encoding !== undefined) reply.header('content-encoding', encoding.name);
  reply.header('content-length', sent.sizeBytes);
  // Of a HEAD request Fastify sends the same headers and throws the stream away.
  return reply.send(createReadStream(sent.file));
}

/** RFC 9110, 12.5.3, as far as browsers and curl use it: a name, `*`, and `q=0` for "not this one". */
function acceptsEncoding(header: string | string[] | undefined, name: string): boolean {
  const choices = String(header ?? '')
    .split(',')
    .map((choice) =>
      choice
        .trim()
        .toLowerCase()
        .split(/\s*;\s*/),
    );
  const chosen = choices.find(([each]) => each === name) ?? choices.find(([each]) => each === '*');
  return chosen !== undefined && !chosen.slice(1).some((parameter) => /^q=0(\.0*)?$/.test(parameter));
}

const matchesTag = (header: string | undefined, etag: string): boolean =>
  header?.split(',').some((tag) => tag.trim().replace(/^W\//, '') === etag || tag.trim() === '*') ?? false;

/**
 * Nothing from any other host, no inline script but the one of the page, nobody's frame. Injected markup in a model's
 * answer would be stopped here even if the app let it through.
 */
function securityHeaders(file: WebFile, name: string): Readonly<Record<string, string>> {
  const isReference = name === referencePage;
  const scripts = file.scriptHashes.map((hash) => `'${hash}'`);
  const policy = [
    "default-src 'none'",
    `script-src ${["'self'", ...scripts].join(' ')}`,
    `style-src 'self'${isReference ? " 'unsafe-inline'" : ''}`,
    "img-src 'self' data: blob:",
    "font-src 'self'",
    "connect-src 'self'",
    "manifest-src 'self'",
    "worker-src 'self'",
    "frame-src 'self'",
    "form-action 'self'",
    "base-uri 'none'",
    `frame-ancestors ${isReference ? "'self'" : "'none'"}`,
  ].join('; ');
  return {
    'content-security-policy': policy,
    'x-content-type-options': 'nosniff',
    'x-frame-options': isReference ? 'SAMEORIGIN' : 'DENY',
    'referrer-policy': 'same-origin',
    'cross-origin-opener-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
  };
}
