import type { Middleware } from 'koa';

interface ShownMail {
  id: string;
  to: string;
  subject: string;
  text: string;
  html: string;
  sentAt: string;
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

/** Turns the addresses in a mail's text into links, so that a newcomer can click the activation link. */
function linked(text: string): string {
  return escape(text).replaceAll(/https?:\/\/[^\s<]+/g, (address) => `<a href="${address}">${address}</a>`);
}

/**
 * `/dev/mail` and `/dev/mail.json?to=ADDRESS`: the mails of development, newest first. Mounted only outside production,
 * on a loopback issuer and listener.
 */
export function devMail(list: (to?: string) => ShownMail[]): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'GET') return next();
    const to = typeof ctx.query['to'] === 'string' ? ctx.query['to'] : undefined;
    if (ctx.path === '/dev/mail.json') {
      ctx.body = list(to);
    } else if (ctx.path === '/dev/mail') {
      ctx.type = 'html';
      const mails = list(to).map(
        (mail) =>
          `<article><h2>${escape(mail.subject)}</h2><p>To ${escape(mail.to)} · ${escape(mail.sentAt)}</p><pre>${linked(mail.text)}</pre></article>`,
      );
      ctx.body = `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Development mailbox</title></head><body><h1>Development mailbox</h1>${mails.join('\n') || '<p>No mail yet. Reload after you asked for one.</p>'}</body></html>`;
    } else {
      return next();
    }
    ctx.set('Cache-Control', 'no-store');
  };
}
