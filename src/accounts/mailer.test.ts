import { describe, expect, it, onTestFinished } from 'vitest';
import { mailCertificate } from './__fixtures__/mail-certificate.ts';
import { type SmtpEncryption, type SmtpServer, startSmtpServer } from './__fixtures__/start-smtp-server.ts';
import { createMailer } from './mailer.ts';

const mail = { to: 'ada@example.org', subject: 'A link', text: 'the link' };
const trusted = `tls.ca=${encodeURIComponent(mailCertificate.cert)}`;

/** Sends one mail with a password in the server's address. */
async function send({ url }: SmtpServer, query = ''): Promise<void> {
  const address = url.replace('//', '//perigee:a-password@');
  const mailer = createMailer({ url: `${address}?${query}`, from: 'perigee@example.org' });
  onTestFinished(() => mailer.close());
  await mailer.send(mail);
}

describe('mail', () => {
  it.each<[SmtpEncryption, readonly string[]]>([
    ['implicit', []],
    ['starttls', ['EHLO', 'STARTTLS']],
  ])('goes encrypted (%s) to a server with a trusted certificate', async (encryption, readable) => {
    const server = await startSmtpServer(encryption);
    await send(server, trusted);
    expect(server.received).toMatchObject([{ text: expect.stringContaining('the link') }]);
    expect(server.readableCommands).toEqual(readable);
  });

  it.each<[SmtpEncryption, readonly string[]]>([
    ['implicit', []],
    ['starttls', ['EHLO', 'STARTTLS']],
  ])('goes nowhere (%s) when nobody vouches for the certificate', async (encryption, readable) => {
    const server = await startSmtpServer(encryption);
    await expect(send(server)).rejects.toThrow('self-signed certificate');
    expect(server.received).toEqual([]);
    expect(server.readableCommands).toEqual(readable);
  });

  it('goes nowhere when the server has another name than its certificate', async () => {
    const server = await startSmtpServer('implicit');
    await expect(send(server, `${trusted}&tls.servername=mail.example.org`)).rejects.toThrow(/altnames/);
    expect(server.received).toEqual([]);
  });

  it('shows no password to a server that offers no encryption, unless its address says so', async () => {
    const server = await startSmtpServer();
    await expect(send(server)).rejects.toThrow();
    expect(server.received).toEqual([]);
    expect(server.readableCommands).not.toContain('AUTH');
    await send(server, 'requireTLS=false');
    expect(server.received).toHaveLength(1);
  });
});
