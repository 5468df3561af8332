import { createServer, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';
import { onTestFinished } from 'vitest';
import { mailCertificate } from './mail-certificate.ts';

export interface ReceivedMail {
  readonly recipients: readonly string[];
  /** Headers and body as they came. */
  readonly text: string;
}

export interface SmtpServer {
  readonly url: string;
  readonly received: readonly ReceivedMail[];
  /** Commands that came unencrypted, without what follows them. */
  readonly readableCommands: readonly string[];
  /** The next mail, or the last one when it is here already. */
  nextMail(): Promise<ReceivedMail>;
}

/** Encrypted from the first byte (RFC 8314), or after STARTTLS (RFC 3207); with a certificate that nobody signed. */
export type SmtpEncryption = 'none' | 'implicit' | 'starttls';

/** A mail server (RFC 5321, the commands that clients need) that keeps what it is given. */
export async function startSmtpServer(encryption: SmtpEncryption = 'none'): Promise<SmtpServer> {
  const received: ReceivedMail[] = [];
  const readableCommands: string[] = [];
  const waiting: ((mail: ReceivedMail) => void)[] = [];
  const accept = (socket: Socket): void =>
    serve(socket, {
      offersTls: encryption === 'starttls',
      onCommand: (command) => {
        if (encryption !== 'implicit') readableCommands.push(command);
      },
      onMail: (mail) => {
        received.push(mail);
        for (const tell of waiting.splice(0)) tell(mail);
      },
    });
  const server = encryption === 'implicit' ? createTlsServer(mailCertificate, accept) : createServer(accept);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `${encryption === 'implicit' ? 'smtps' : 'smtp'}://127.0.0.1:${port}`,
    received,
    readableCommands,
    nextMail: async () =>
      received.at(-1) ?? (await new Promise<ReceivedMail>((resolve) => waiting.push(resolve))),
  };
}

interface Session {
  readonly offersTls: boolean;
  /** Told of each command, until the connection is encrypted. */
  onCommand(command: string): void;
  onMail(mail: ReceivedMail): void;
}

function serve(socket: Socket, { offersTls, onCommand, onMail }: Session, isResumed = false): void {
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
    onCommand(command);
    if (command === 'RCPT') recipients.push(line);
    if (command === 'DATA') data = [];
    if (command === 'DATA') answer('354 go on');
    else if (command === 'QUIT') socket.end('221 bye\r\n');
    else if (command === 'AUTH') answer('235 welcome');
    else if (command === 'STARTTLS') {
      socket.removeAllListeners('data');
      socket.write('220 go on\r\n');
      const secureContext = createSecureContext(mailCertificate);
      const encrypted = new TLSSocket(socket, { isServer: true, secureContext });
      serve(encrypted, { offersTls: false, onCommand: () => undefined, onMail }, true);
    } else if (command === 'EHLO') answer(`250-here\r\n${offersTls ? '250-STARTTLS\r\n' : ''}250 AUTH PLAIN`);
    else answer('250 ok');
  };
  socket.on('error', () => socket.destroy());
  socket.setEncoding('utf8');
  if (!isResumed) answer('220 test');
  socket.on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\r\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
}
