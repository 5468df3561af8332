import type { FastifyInstance, InjectOptions } from 'fastify';

type Answer = Awaited<ReturnType<FastifyInstance['inject']>>;

/** What a browser does with a page of this server: keeps cookies, and says where a request comes from. */
export interface Browser {
  /** As the page would send it: with its cookies, the header against foreign pages, and where it comes from. */
  send(request: InjectOptions): Promise<Answer>;
  post(url: string, payload?: Record<string, unknown>): Promise<Answer>;
  /** The `Cookie` header as it is now. */
  cookie(): string;
  /** Puts a cookie jar's content back, e.g. one that was stolen before it was changed. */
  setCookie(header: string): void;
}

export function createBrowser(app: FastifyInstance, origin = 'http://127.0.0.1:8787'): Browser {
  const jar = new Map<string, string>();
  const cookie = (): string => [...jar].map(([name, value]) => `${name}=${value}`).join('; ');
  const send = async (request: InjectOptions): Promise<Answer> => {
    const answer = await app.inject({
      ...request,
      headers: {
        host: new URL(origin).host,
        origin,
        'sec-fetch-site': 'same-origin',
        'x-perigee-csrf': '1',
        ...(jar.size > 0 && { cookie: cookie() }),
        ...request.headers,
      },
    });
    for (const { name, value, maxAge } of answer.cookies as {
      name: string;
      value: string;
      maxAge?: number;
    }[]) {
      if (maxAge === 0) jar.delete(name);
      // As a browser keeps it: encoded, as it came.
      else jar.set(name, encodeURIComponent(value));
    }
    return answer;
  };
  return {
    send,
    cookie,
    setCookie: (header) => {
      jar.clear();
      for (const pair of header.split('; ')) {
        const [name = '', ...value] = pair.split('=');
        jar.set(name, value.join('='));
      }
    },
    post: async (url, payload = {}) => await send({ method: 'POST', url, payload }),
  };
}
