import { createServer, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export interface ReceivedMail {
  readonly recipients: readonly string[];
  /** Headers and body as they came. */
  readonly text: string;
}

export interface SmtpServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** The next mail, or the last one when it is here already. */
  nextMail(): Promise<ReceivedMail>;
}

/** A mail server (RFC 5321, the commands that clients need) that keeps what it is given. */
export async function startSmtpServer(): Promise<SmtpServer> {
  const received: ReceivedMail[] = [];
  const waiting: ((mail: ReceivedMail) => void)[] = [];
  const server = createServer((socket) =>
    serve(socket, (mail) => {
      received.push(mail);
      for (const tell of waiting.splice(0)) tell(mail);
    }),
  );
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `smtp://127.0.0.1:${port}`,
    received,
    nextMail: async () =>
      received.at(-1) ?? (await new Promise<ReceivedMail>((resolve) => waiting.push(resolve))),
  };
}

function serve(socket: Socket, onMail: (mail: ReceivedMail) => void): void {
  let recipients: string[] = [];
  let data: string[] | undefined;
  let rest = '';
  const answer = (line: string): void => void socket.write(`${line}\r\n`);
  const onLine = (line: string): void => {
    if (data !== undefined) {
      if (line !== '.') {
        data.push(line.replace(/^\.\./, '.'));
        return;
      }
      onMail({ recipients, text: data.join('\n') });
      data = undefined;
      recipients = [];
      answer('250 kept');
      return;
    }
    const [command = ''] = line.toUpperCase().split(' ');
    if (command === 'RCPT') recipients.push(line);
    if (command === 'DATA') data = [];
    if (command === 'DATA') answer('354 go on');
    else if (command === 'QUIT') socket.end('221 bye\r\n');
    else answer(command === 'EHLO' ? '250 here' : '250 ok');
  };
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8');
  answer('220 test');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
