/** Every reader of the books names what is wrong with an event of what an account buys, from the event alone. */
import { createMemoryStore, type RecordedEvent } from '@tallystick/event-store';
import { openTestLedger } from '@tallystick/projections/testing';
import t from 'tap';
import { buyThrough } from '../testing/bought.ts';
import { publishThrough } from '../testing/catalogues.ts';
import { type Anything, type Change, damaged } from '../testing/damage.ts';
import { subscribeThrough } from '../testing/subscribed.ts';
import { BOUGHT } from './bought-shapes.ts';
import { CATALOGUES } from './catalogue-shapes.ts';
import { Examiner, type Found } from './examiner.ts';

const ledger = await openTestLedger(createMemoryStore());
await publishThrough(ledger);
await subscribeThrough(ledger);
await buyThrough(ledger);
const { events } = await ledger.store.readAll({ after: null, limit: 100_000 });

function examined(of: readonly RecordedEvent[]): Found {
  const examiner = new Examiner(null);
  for (const event of of) examiner.examine(event);
  return examiner.end();
}

function first(type: string, fits: (data: Anything, facts: Anything) => boolean = () => true): RecordedEvent {
  const found = events.find(
    (event) => event.type === type && fits(JSON.parse(event.data), JSON.parse(event.meta).facts),
  );
  if (found === undefined) throw new Error(`no ${type} that fits`);
  return found;
}

/** The stream of an event is enough to tell what is wrong with it. */
function examinedWith(event: RecordedEvent, change: Change): Found {
  return examined(damaged(events, event, change).filter(({ stream }) => stream === event.stream));
}

t.test('in what the ledger itself has written nothing is wrong', async (t) => {
  t.strictSame(examined(events), { count: 0, findings: [] });
});

t.test('an event that lacks what its type must carry, or has it in another shape, is named', async (t) => {
  for (const [type, { data, facts }] of [...BOUGHT, ...CATALOGUES]) {
    const event = first(type);
    for (const [part, members] of [
      ['data', data],
      ['facts', facts],
    ] as const)
      for (const [member, fits] of members) {
        const label = part === 'data' ? member : `facts.${member}`;
        const set = (value: unknown): Found =>
          examinedWith(event, (ofData, ofFacts) => {
            (part === 'data' ? ofData : ofFacts)[member] = value;
          });
        for (const [how, found] of [
          ...(fits(undefined) ? [] : [['left out', set(undefined)] as const]),
          ['in another shape', set([{ not: 'this' }])],
        ] as const)
          t.ok(
            found.findings.some(
              ({ what, expected, revision }) =>
                /does not carry/.test(what) && expected?.includes(label) && revision === event.revision,
            ),
            `${type}.${label} ${how}: ${JSON.stringify(found.findings.slice(0, 2))}`,
          );
      }
  }
});

const isMixed = ({ covered = [], credits }: Anything): boolean => covered.length > 0 && credits !== '0';
const more = (text: string): string => String(BigInt(text) + 1n);

const cases: readonly (readonly [what: string, event: RecordedEvent, change: Change, named: RegExp])[] = [
  [
    'the quantity of a move',
    first('UsageCharged', isMixed),
    ({ quotas }) => {
      quotas.moves[0].quantity = more(quotas.moves[0].quantity);
    },
    /the entry posts another quantity to used/,
  ],
  [
    'a move left out',
    first('UsageCharged', isMixed),
    ({ quotas }) => {
      quotas.moves.pop();
    },
    /does not say the money behind each of its moves of quotas/,
  ],
  [
    'what is covered',
    first('UsageCharged', isMixed),
    ({ covered }) => {
      covered[0].quantity = more(covered[0].quantity);
    },
    /what is covered by quota-.* is not what was used of it/,
  ],
  [
    'the part of the usage that is covered',
    first('UsageCharged', isMixed),
    ({ covered }) => {
      covered[0].usage.calls += 1;
    },
    /the lines of the price are not those of the usage/,
  ],
  [
    'the overage factor',
    first('UsageCharged', (_, { price }) => price.factors !== undefined),
    (_, { price }) => {
      price.factors[0].value = '1.25';
    },
    /the price is not the sum of its lines by its factors/,
  ],
  [
    'the factor left out',
    first('UsageCharged', (_, { price }) => price.factors !== undefined),
    (_, { price }) => {
      delete price.factors;
    },
    /the price is not the sum of its lines/,
  ],
  [
    'a hard stop that was none',
    first('UsageCharged', ({ violations = [] }) => violations.includes('quota_exhausted')),
    (data) => {
      delete data.violations;
    },
    /the lines of the price are not those of the usage/,
  ],
  [
    'whose expense a call beyond a hard stop is',
    first(
      'UsageCharged',
      ({ violations = [] }, { cost }) => violations.includes('quota_exhausted') && cost !== null,
    ),
    (_, { entry }) => {
      const leg = entry.find(({ account }: Anything) => account.startsWith('expenses:overrun:'));
      leg.account = 'expenses:suppliers:Maker%20%26%20Co';
    },
    /a cost is booked as another expense/,
  ],
  [
    'what a call has cost',
    first('UsageCharged', (_, { cost }) => cost !== null),
    (_, { cost }) => {
      cost.amount = '7';
    },
    /the entry posts another cost/,
  ],
  [
    'what a hold has of quotas',
    first('HoldPlaced', ({ quotas }) => quotas !== undefined),
    ({ quotas }) => {
      quotas.moves[0].to = 'used';
    },
    /the entry posts another quantity to hold:/,
  ],
  [
    'what is born of a quota',
    first('QuotaGranted'),
    ({ quotas }) => {
      quotas.granted[0].quantity = more(quotas.granted[0].quantity);
    },
    /the moves do not grant what is born of quota-/,
  ],
  [
    'a birth left out',
    first('QuotaExpanded'),
    ({ quotas }) => {
      delete quotas.granted;
    },
    /a quota is granted that is not born/,
  ],
  [
    'quotas left out, with their postings left in',
    first('QuotaExpanded'),
    (data) => {
      delete data.quotas;
    },
    /the entry posts another quantity to granted/,
  ],
  [
    'the price of a period',
    first('SubscriptionStarted', ({ subscription }) => subscription.paid_from.length > 0),
    ({ subscription }) => {
      subscription.period_credits = '29';
      subscription.paid_from = [{ lot: 'lot-1', credits: '29' }];
    },
    /the credits of the period are not what its moves burn/,
  ],
  [
    'which lots paid',
    first('SubscriptionRenewed', ({ subscription }) => subscription.paid_from.length > 0),
    ({ subscription }) => {
      subscription.paid_from.pop();
    },
    /the lots that paid do not come to the credits of the period/,
  ],
  [
    'the bill of an upgrade',
    first('SubscriptionChanged', ({ change }) => change === 'upgraded'),
    ({ lines }) => {
      lines[0].credits = '1';
    },
    /the lines of the bill are not what its moves burn/,
  ],
  [
    'the bill of an end',
    first('SubscriptionEnded', ({ lines }) => lines.length > 0),
    ({ lines }) => {
      lines.pop();
    },
    /the lines of the bill are not what its moves burn/,
  ],
  [
    'what was received for a period',
    first('SubscriptionPaymentRecorded', (_, { received }) => received !== null),
    (_, { received }) => {
      received.amount = '1';
    },
    /the entry does not post what was received/,
  ],
  [
    'what was received for a purchase',
    first('PurchasePaymentUnapplied'),
    (_, { payment }) => {
      payment.amount = '1';
    },
    /the entry does not post what was received/,
  ],
  [
    'the credits of a purchase',
    first('PurchasePaid'),
    ({ purchase }) => {
      purchase.bonus = '1';
    },
    /the credits are not what was bought with its bonus/,
  ],
  [
    'the payment of a purchase',
    first('PurchasePaid'),
    (_, { payment }) => {
      payment.currency = 'EUR';
    },
    /the payment is not the total of the purchase/,
  ],
  [
    'the credits of a coupon',
    first('CouponApplied', ({ effect }) => effect === 'granted'),
    (data) => {
      data.credits = '1';
    },
    /the credits of the event are not what its moves make/,
  ],
  [
    'the credits of a share',
    first('ReferralGranted'),
    (data) => {
      data.credits = '1';
    },
    /the credits of the event are not what its moves make/,
  ],
  [
    'what is still owed of a share',
    first('ReferralClawedBack'),
    (data) => {
      data.owed = '1000';
    },
    /what is taken back is not what its parts come to/,
  ],
  [
    'the money of one move left out',
    first('SubscriptionRenewed', ({ moves }) => moves.length > 0),
    (_, facts) => {
      facts.paid.pop();
    },
    /does not say the money behind each of its moves/,
  ],
];

t.test('an event whose amounts do not agree with each other is named', async (t) => {
  for (const [what, event, change, named] of cases) {
    const { findings } = examinedWith(event, change);
    const isNamed = findings.some((one) => named.test(one.what) && one.revision === event.revision);
    t.ok(isNamed, `${event.type}: ${what}: ${JSON.stringify(findings.slice(0, 3))}`);
    t.notMatch(JSON.stringify(findings), /undefined|\[object/, what);
  }
});
