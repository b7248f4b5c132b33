/** What would this call cost, and why (P11). Prices are shown in credits only, however they were published (P8). */
import {
  DEFAULT_BOOK,
  formatCredits,
  type PriceBookVersion,
  type Priced,
  type PriceLine,
  priceUsage,
  type Usage,
  type WalletCommand,
  walletDecider,
} from '@tallystick/domain';
import type { FastifyRequest } from 'fastify';
import { type Static, Type } from 'typebox';
import type { Api, App } from '../api.ts';
import { orderWallet } from '../orders.ts';
import { checkText, type Faults, settle, usageOf } from '../parse.ts';
import { refuse } from '../problems.ts';
import { closed, Decimal, found, Id, Model, PriceFormula, UsageBody } from '../schemas.ts';

const QuoteAnswer = Type.Object({
  credits: Decimal,
  ...PriceFormula,
  price_book: Type.Object({ name: Type.String(), version: Type.Integer() }),
});

export function quotesRoutes(app: App, api: Api): void {
  app.post(
    '/v1/quotes',
    {
      config: { access: { scopes: ['usage', 'read'], ownAccount: 'checked' } },
      schema: {
        tags: ['usage'],
        summary: 'Price a usage without recording it',
        body: closed({ model: Model, usage: UsageBody, account: Type.Optional(Id) }),
        response: found(QuoteAnswer),
      },
    },
    async (request) => {
      const { principal, body } = request;
      const faults: Faults = [];
      checkText(body.model, 'model', faults);
      usageOf(body.usage, 'usage', faults);
      settle(faults);
      const account = body.account ?? principal.account;
      if (principal.account !== null && account !== principal.account) refuse('forbidden');
      const book = account === null ? DEFAULT_BOOK : await bookOf(api, request, account);
      return quoteOf(await price(api, book, body.model, body.usage), body.model);
    },
  );
}

/** At the stream's head: "there is no such account" is an answer, too (rule 1). */
async function bookOf(api: Api, request: FastifyRequest, account: string): Promise<string> {
  const command: WalletCommand = { type: 'CarryOutDues', key: null, fingerprint: null };
  const done = await orderWallet(api, request, account, command);
  const { priceBook } =
    done.status === 'unchanged' ? done.state : (await api.runner.peek(walletDecider, account)).state;
  return priceBook ?? DEFAULT_BOOK;
}

async function price(api: Api, book: string, model: string, usage: Usage): Promise<Priced> {
  const first = api.catalogue.current().books.price(book, api.now(), model, usage);
  if (first.status === 'priced') return first;
  // Perhaps it was published a moment ago (rule 24).
  const { books } = await api.catalogue.fresh();
  const second = books.price(book, api.now(), model, usage);
  if (second.status === 'priced') return second;
  return refuse('no_price', { reason: second.reason, missing: second.missing });
}

function quoteOf({ book, credits, facts }: Priced, model: string): Static<typeof QuoteAnswer> {
  return {
    credits: formatCredits(credits),
    lines: facts.lines.map((line) => ({
      dimension: line.dimension,
      quantity: line.quantity,
      price: priceInCredits(book, model, line),
      credits_exact: line.exact,
    })),
    rounding: { exact: facts.exact, round_to: facts.round_to, rule: 'up' },
    price_book: { name: book.name, version: book.version },
  };
}

/** A price that was published as a cost is shown as the credits that it comes to, exactly. */
function priceInCredits(
  book: PriceBookVersion,
  model: string,
  { dimension, exact, price: published }: PriceLine,
) {
  const { per, up_to } = published as { readonly per?: number; readonly up_to?: number };
  if (per === undefined) return { credits: exact, ...(up_to === undefined ? {} : { up_to }) };
  // A price may be so high that `per` units of it are beyond any amount: then it is shown for one.
  for (const units of [per, 1]) {
    const priced = priceUsage(book, model, { [dimension]: units });
    if (priced.status === 'priced') return { credits: priced.facts.exact, per: units };
  }
  return { credits: exact };
}
