/** Mail by SMTP, when the operator named a server; without one there is no mailer at all. */
import { createTransport } from 'nodemailer';

export interface Mail {
  readonly to: string;
  readonly subject: string;
  readonly text: string;
}

export interface Mailer {
  /** Resolves when the server took the mail; rejects when it did not, or took longer than ten seconds a step. */
  send(mail: Mail): Promise<void>;
  close(): void;
}

export interface SmtpSettings {
  /**
   * `smtps://…:465`, or `smtp://user:password@host:587`: STARTTLS when it is offered, and nothing is sent without it
   * when there is a password, unless the address ends in `?requireTLS=false`.
   */
  readonly url: string;
  readonly from: string;
}

const stepTimeoutMs = 10_000;

/** nodemailer encodes and folds every header, so no subject or address can add one of its own. */
export function createMailer({ url, from }: SmtpSettings): Mailer {
  const transport = createTransport(
    {
      url,
      // Whoever stands between could leave the offer out and be given the password; the address overrides it.
      requireTLS: new URL(url).password !== '',
      connectionTimeout: stepTimeoutMs,
      greetingTimeout: stepTimeoutMs,
      socketTimeout: stepTimeoutMs,
      // Text and headers only: a mail never reads a file or an address of somebody else's choice.
      disableFileAccess: true,
      disableUrlAccess: true,
    },
    { from },
  );
  return {
    send: async ({ to, subject, text }) => {
      // As an object: a string would be parsed as a list, and could name further recipients.
      await transport.sendMail({ to: { name: '', address: to }, subject, text });
    },
    close: () => transport.close(),
  };
}
