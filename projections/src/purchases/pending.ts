/** What is pending for an account's friends, as its wallet has it: for balances with what is due carried out (rule 33). */
import type { Wallet } from '@tallystick/domain';
import type { ClientBase } from 'pg';

export async function addReferrals(
  client: Pick<ClientBase, 'query'>,
  schema: string,
  wallet: Wallet,
): Promise<void> {
  const { rows } = await client.query<{
    friend: string;
    revision: string;
    left: string;
    available_at: Date;
  }>(
    `select friend, revision, credits - taken as left, available_at from ${schema}.referral_accruals
     where account = $1 and status = 'pending' order by available_at, born`,
    [wallet.account],
  );
  const pending = rows.map(({ friend, revision, left, available_at }) => ({
    from: friend,
    revision: Number(revision),
    credits: BigInt(left),
    availableAt: available_at.getTime(),
  }));
  wallet.referral = { ...wallet.referral, pending };
}
