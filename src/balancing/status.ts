import type { Balancer } from './balancer.ts';
import { inUrl, peerKey } from './peer.ts';
import type { TargetAddresses } from './target-addresses.ts';

/** What Kong's Admin API calls it. */
export type HealthWord = 'HEALTHY' | 'UNHEALTHY' | 'HEALTHCHECKS_OFF' | 'DNS_ERROR';

/** How a target is, with its addresses (kong/runloop/balancer/healthcheckers.lua of Kong 3.9). */
export function targetHealth(balancer: Balancer, target: TargetAddresses) {
  const { addresses, ...data } = statusOf(balancer, target);
  const words = addresses.map(({ healthy, ...address }) => ({ ...address, health: wordFor(balancer, healthy) }));
  const any = (word: HealthWord) => words.some(({ health }) => health === word);
  const health: HealthWord = words.length === 0 ? 'DNS_ERROR' : ((['HEALTHY', 'UNHEALTHY'] as const).find(any) ?? 'HEALTHCHECKS_OFF');
  return { health, data: { ...data, addresses: words } };
}

/** How an upstream is as a whole. */
export function balancerHealth(balancer: Balancer) {
  const { id } = balancer.upstream;
  const health = wordFor(balancer, balancer.isHealthy);
  if (!balancer.usesHealthChecks) return { health, id };
  const hosts = [...balancer.targets].map(target => statusOf(balancer, target));
  return { health, id, details: { healthy: balancer.isHealthy, weight: weightOf(balancer.weight), hosts } };
}

function statusOf({ peers }: Balancer, { host, port, dns, weight, addresses }: TargetAddresses) {
  const seen = addresses.map(address => {
    const key = peerKey(host, address);
    const healthy = peers.find(peer => peer.key === key)?.health.isGood ?? true;
    return { ip: inUrl(address.ip), port: address.port, weight: address.weight ?? weight, healthy };
  });
  const sum = (list: typeof seen) => list.reduce((total, address) => total + address.weight, 0);
  const total = sum(seen);
  return {
    host: inUrl(host),
    port,
    dns,
    nodeWeight: weight,
    weight: weightOf({ total, available: sum(seen.filter(({ healthy }) => healthy)) }),
    addresses: seen,
  };
}

const weightOf = ({ total, available }: { total: number; available: number }) => ({ total, available, unavailable: total - available });

const wordFor = ({ usesHealthChecks }: Balancer, healthy: boolean): HealthWord =>
  usesHealthChecks ? (healthy ? 'HEALTHY' : 'UNHEALTHY') : 'HEALTHCHECKS_OFF';
