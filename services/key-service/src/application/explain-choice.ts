import { keyInput } from '../domain/errors';
import type { NetworkRules } from '../domain/networks';
import { type KeyExplanation, QuotaLedger } from '../domain/quota-ledger';
import { askPool } from './ask-pool';
import type { KeyRing } from './key-ring';

export interface ExplainChoice {
  workspaceId: string;
  network: string;
  methods: Readonly<Record<string, number>>;
  egress: string;
  keyId?: string | undefined;
  /** Keys that are told of, the first to be taken foremost. */
  limit: number;
}

export interface ChoiceExplained {
  poolNow: number;
  /** Keys that the workspace may lease, its own and those shared with it. */
  known: number;
  eligible: number;
  keys: KeyExplanation[];
}

/** Why a key would be taken for such a call now, or why none is free. Charges nothing. */
export class ChoiceExplainer {
  constructor(
    private readonly ring: Pick<KeyRing, 'leasableBy'>,
    private readonly ledger: Pick<QuotaLedger, 'explain'>,
    private readonly rulesOf: (network: string) => NetworkRules | undefined,
  ) {}

  async explain(question: ExplainChoice): Promise<ChoiceExplained> {
    const { workspaceId, network, methods, egress, keyId, limit } = question;
    const rules = this.rulesOf(network);
    if (rules === undefined) throw keyInput('network', 'is not a network that the pool knows');
    const keyIds = this.ring
      .leasableBy(workspaceId, network)
      .map(({ id }) => id)
      .filter((id) => keyId === undefined || id === keyId);
    const { poolNow, keys } = await askPool(() =>
      this.ledger.explain({ workspaceId, rules, methods, calls: 1, egress, keyIds }),
    );
    const eligible = keys.filter(({ reason }) => reason === undefined).length;
    return { poolNow, known: keys.length, eligible, keys: [...keys].sort(firstTaken).slice(0, limit) };
  }
}

/** Those that can be taken by their next slot, then those that come back soonest, then the rest. */
function firstTaken(a: KeyExplanation, b: KeyExplanation): number {
  const rank = ({ reason, untilAt }: KeyExplanation): number =>
    reason === undefined ? 0 : untilAt === undefined ? 2 : 1;
  const at = (key: KeyExplanation): number => (key.reason === undefined ? key.nextSlotAt : key.untilAt) ?? 0;
  return rank(a) - rank(b) || at(a) - at(b) || (a.keyId < b.keyId ? -1 : 1);
}
