import type { Balancers } from '../balancing/balancers.ts';
import type { PluginRow } from '../entities/plugin-entity.ts';
import type { Route } from '../entities/route.ts';
import { type Service, service } from '../entities/service.ts';
import { ConfigurationError } from '../lib/configuration-error.ts';
import type { Json } from '../lib/json.ts';
import type { Question } from '../plugins/plugin.ts';
import type { Change, Store } from '../store/store.ts';
import { Epochs } from './epochs.ts';
import { Memberships } from './memberships.ts';
import { PlanBook } from './plan-book.ts';
import type { ConfiguredPlugin, PluginConfigurations } from './plugin-configurations.ts';
import { compileEntries, type RouteEntries } from './route-entries.ts';
import { RouteTarget, refusing } from './route-target.ts';
import { Router } from './router.ts';
import { type Secrets, UnresolvedReference } from './secrets.ts';
import { type PreparedCertificates, ServerCertificates } from './server-certificates.ts';
import { ServiceTls, type UpstreamTls } from './service-tls.ts';
import type { Match, Passage, Plan, Routable, ServerCertificate, Snapshot } from './snapshot.ts';

/** Changes, compiled and ready to be applied. */
export interface Prepared {
  readonly plugins: ReadonlyMap<string, ConfiguredPlugin | null>;
  readonly routes: ReadonlyMap<string, PreparedRoute | null>;
  /** Services that are no more. */
  readonly goneServices: readonly string[];
  /** What upstreams are made of anew. */
  readonly balancing: readonly Change[];
  readonly certificates: PreparedCertificates;
}

interface PreparedRoute {
  readonly target: RouteTarget;
  /** Null: no request comes to it. */
  readonly entries: RouteEntries | null;
  readonly problem: string | null;
}

/**
 * The one snapshot there is: changes are applied to it in place, in one go, while no request runs. What a change costs
 * depends on the rows it touches, not on how many there are.
 */
export class LiveSnapshot implements Snapshot {
  version = 0;
  readonly balancers: Balancers;
  private readonly store: Store;
  private readonly configurations: PluginConfigurations;
  private readonly serviceTls: ServiceTls;
  private readonly certificates: ServerCertificates;
  private readonly router = new Router();
  private readonly book = new PlanBook();
  private readonly epochs = new Epochs();
  private readonly memberships: Memberships;
  private readonly routes = new Map<string, PreparedRoute>();
  private readonly routesOfService = new Map<string, Set<string>>();
  private readonly globalPlan = this.book.planOf({ route: null, service: null });

  constructor(store: Store, configurations: PluginConfigurations, secrets: Pick<Secrets, 'resolve'>, balancers: Balancers) {
    this.store = store;
    this.balancers = balancers;
    this.configurations = configurations;
    this.serviceTls = new ServiceTls(store, secrets);
    this.certificates = new ServerCertificates(secrets);
    this.memberships = new Memberships(store);
  }

  enter(): Passage {
    return this.epochs.enter();
  }

  match(request: Routable): Match | null {
    return this.router.match(request);
  }

  certificateFor(serverName: string): ServerCertificate | null {
    return this.certificates.find(serverName);
  }

  get unmatched(): Plan {
    return this.globalPlan.current;
  }

  groupsOf(consumer: string): readonly string[] {
    return this.memberships.of(consumer, this.version);
  }

  /** What of the configuration does not work, in words. */
  get problems(): readonly string[] {
    return [
      ...[...this.book.all()].map(problemOfPlugin),
      ...[...this.routes.values()].map(problemOfRoute),
      ...this.certificates.problems,
    ].filter(problem => problem !== null);
  }

  /**
   * Compiles what the changes touch and changes nothing. Throws why a row cannot work, unless that is for a secret that is
   * not known yet: then no request passes it, and it is among the `problems`. `alongside` are rows whose secrets changed.
   */
  prepare(changes: readonly Change[], alongside: readonly Change[] = []): Prepared {
    const own = this.compile(changes, error => {
      throw error;
    });
    if (alongside.length === 0) return own;
    const others = this.prepareInSpiteOfProblems(alongside);
    return {
      plugins: new Map([...others.plugins, ...own.plugins]),
      routes: new Map([...others.routes, ...own.routes]),
      goneServices: own.goneServices,
      balancing: [...others.balancing, ...own.balancing],
      certificates: {
        certificates: new Map([...others.certificates.certificates, ...own.certificates.certificates]),
        names: own.certificates.names,
      },
    };
  }

  /**
   * As `prepare`, for rows that are there already. One that cannot work, or not with what its secrets are now, is among the
   * `problems`: what it was before serves, and where it was nothing yet, no request passes.
   */
  prepareInSpiteOfProblems(changes: readonly Change[]): Prepared {
    return this.compile(changes, () => {});
  }

  /** Lets go of what was prepared and will not be applied. */
  async discard({ plugins }: Prepared): Promise<void> {
    await this.closeNew(plugins.values());
  }

  /** Returns the problems that were not there before. */
  apply({ plugins, routes, goneServices, balancing, certificates }: Prepared): readonly string[] {
    const retired: ConfiguredPlugin[] = [];
    const problems: (string | null)[] = [];
    for (const [id, configured] of plugins) {
      const before = this.book.get(id);
      if (configured !== null && configured.problem !== before?.problem) problems.push(problemOfPlugin(configured));
      if (before !== undefined && before.work !== configured?.work) retired.push(before);
      if (configured === null) this.book.remove(id);
      else this.book.put(configured);
    }
    for (const [id, prepared] of routes) {
      if (prepared !== null && prepared.problem !== this.routes.get(id)?.problem) problems.push(problemOfRoute(prepared));
      this.replaceRoute(id, prepared);
    }
    for (const id of goneServices) this.forgetService(id);
    this.balancers.apply(balancing);
    problems.push(...this.certificates.apply(certificates));
    this.version++;
    this.epochs.retire(retired.map(closeOf));
    return problems.filter(problem => problem !== null);
  }

  /** What the plugins that are asked have to say. */
  ask({ plugin, row, content }: Question): Json[] {
    const asked = [...this.book.all()].filter(configured => configured.row.name === plugin && (row === null || configured.row.id === row));
    return asked.map(({ work }) => work.answer(content)).filter(answer => answer !== null);
  }

  async close(): Promise<void> {
    this.balancers.close();
    this.epochs.retire([...this.book.all()].map(closeOf));
    await this.epochs.end();
  }

  private compile(changes: readonly Change[], onProblem: (error: unknown) => void): Prepared {
    const rows = (name: string) => changes.filter(({ entity }) => entity.name === name);
    const plugins = new Map<string, ConfiguredPlugin | null>();
    const services = new Map(rows('services').map(({ id, row }) => [id, row as Service | null]));
    const touched = new Map<string, Route | null>();
    for (const id of new Set([...services.keys(), ...this.serviceTls.touchedBy(changes)])) {
      for (const route of this.routesOfService.get(id) ?? []) touched.set(route, this.routes.get(route)?.target.route ?? null);
    }
    for (const { id, row } of rows('routes')) touched.set(id, row as Route | null);

    try {
      const tlsOf = this.serviceTls.after(changes);
      const certificates = this.certificates.prepare(changes, onProblem);
      const routes = new Map([...touched].map(([id, row]) => [id, row && this.compileRoute(row, services, tlsOf, onProblem)]));
      for (const { id, row } of rows('plugins')) plugins.set(id, row && this.configure(row as PluginRow, onProblem));
      const goneServices = [...services].filter(([, row]) => row === null).map(([id]) => id);
      return {
        plugins,
        routes,
        goneServices,
        balancing: [...rows('upstreams'), ...rows('targets'), ...rows('certificates')],
        certificates,
      };
    } catch (error) {
      void this.closeNew(plugins.values());
      throw error;
    }
  }

  private configure(row: PluginRow, onProblem: (error: unknown) => void): ConfiguredPlugin {
    const before = this.book.get(row.id);
    try {
      return this.configurations.configure(row, before);
    } catch (error) {
      const { message } = error as Error;
      if (error instanceof UnresolvedReference) return this.configurations.refuse(row, `config.${error.field}: ${message}`);
      onProblem(error instanceof ConfigurationError ? new ConfigurationError(message, error.field, row.id) : error);
      return before ? { ...before, row, problem: message } : this.configurations.refuse(row, message);
    }
  }

  private compileRoute(
    route: Route,
    services: ReadonlyMap<string, Service | null>,
    tlsOf: (service: Service) => UpstreamTls | null,
    onProblem: (error: unknown) => void,
  ): PreparedRoute {
    const id = route.service?.id ?? null;
    const owner = (id === null ? null : services.has(id) ? services.get(id) : this.store.find(service, id)) ?? null;
    const plan = this.book.planOf({ route: route.id, service: id });
    let tls: UpstreamTls | null = null;
    let problem: string | null = null;
    try {
      tls = owner && tlsOf(owner);
    } catch (error) {
      if (!(error instanceof UnresolvedReference)) onProblem(error);
      problem = (error as Error).message;
    }
    const target = new RouteTarget(route, owner, problem === null ? plan : refusing(plan), tls);
    try {
      return { target, entries: target.isServed ? compileEntries(target) : null, problem };
    } catch (error) {
      onProblem(error);
      return { target, entries: null, problem: (error as Error).message };
    }
  }

  private replaceRoute(id: string, prepared: PreparedRoute | null): void {
    const before = this.routes.get(id)?.target.route.service?.id;
    if (before !== undefined) this.routesOfService.get(before)?.delete(id);
    this.router.remove(id);
    this.routes.delete(id);
    if (prepared === null) {
      this.book.forget('route', id);
      return;
    }
    this.routes.set(id, prepared);
    if (prepared.entries !== null) this.router.add(id, prepared.entries);
    const owner = prepared.target.route.service?.id;
    if (owner !== undefined) this.routesOfService.set(owner, (this.routesOfService.get(owner) ?? new Set()).add(id));
  }

  private forgetService(id: string): void {
    this.book.forget('service', id);
    this.routesOfService.delete(id);
  }

  private async closeNew(plugins: Iterable<ConfiguredPlugin | null>): Promise<void> {
    const closes = [...plugins].filter(configured => configured !== null && configured.work !== this.book.get(configured.row.id)?.work);
    await Promise.all(closes.map(configured => configured?.work.close()));
  }
}

const closeOf =
  ({ work }: ConfiguredPlugin) =>
  () =>
    work.close();
const problemOfPlugin = ({ row, problem }: ConfiguredPlugin) => problem && `plugin ${row.name} (${row.id}): ${problem}`;
const problemOfRoute = ({ target: { route }, problem }: PreparedRoute) => problem && `route ${route.name ?? ''} (${route.id}): ${problem}`;
