import type { PluginRow } from '../entities/plugin-entity.ts';
import { compilePlan, type PlanScope } from './plan.ts';
import type { ConfiguredPlugin } from './plugin-configurations.ts';
import type { Plan } from './snapshot.ts';

/** The configured plugins that apply to all requests, to one service's or to one route's. */
class Section {
  readonly plugins = new Set<ConfiguredPlugin>();
  changes = 0;
}

/** All configured plugins, by what they apply to. */
export class PlanBook {
  private readonly byRow = new Map<string, ConfiguredPlugin>();
  private readonly sections = new Map<string, Section>();

  get(id: string): ConfiguredPlugin | undefined {
    return this.byRow.get(id);
  }

  all(): Iterable<ConfiguredPlugin> {
    return this.byRow.values();
  }

  /** In place of what the row was before. */
  put(configured: ConfiguredPlugin): void {
    this.remove(configured.row.id);
    this.byRow.set(configured.row.id, configured);
    const section = this.section(sectionOf(configured.row));
    section.plugins.add(configured);
    section.changes++;
  }

  remove(id: string): void {
    const configured = this.byRow.get(id);
    if (configured === undefined) return;
    this.byRow.delete(id);
    const section = this.section(sectionOf(configured.row));
    section.plugins.delete(configured);
    section.changes++;
  }

  /** For a route or service that is no more. */
  forget(kind: 'route' | 'service', id: string): void {
    this.sections.delete(sectionKey(kind, id));
  }

  planOf(scope: PlanScope): ScopedPlan {
    return new ScopedPlan(scope, this);
  }

  /** What can take part in a plan: those of the route, of the service and of everything. */
  sectionsOf({ route, service }: PlanScope): Section[] {
    const keys = [EVERYTHING, service && sectionKey('service', service), route && sectionKey('route', route)];
    return keys.filter(key => key !== null).map(key => this.section(key));
  }

  private section(key: string): Section {
    const section = this.sections.get(key) ?? new Section();
    this.sections.set(key, section);
    return section;
  }
}

const EVERYTHING = 'everything';
const sectionKey = (kind: 'route' | 'service', id: string) => `${kind} ${id}`;
const sectionOf = ({ route, service }: PluginRow) =>
  route ? sectionKey('route', route.id) : service ? sectionKey('service', service.id) : EVERYTHING;

/** A plan that is compiled when first used, and anew after a plugin that could take part in it changed. */
export class ScopedPlan {
  private readonly scope: PlanScope;
  private readonly book: PlanBook;
  private sections: readonly Section[] = [];
  private compiled: Plan | null = null;
  private compiledAt = 0;

  constructor(scope: PlanScope, book: PlanBook) {
    this.scope = scope;
    this.book = book;
  }

  get current(): Plan {
    let changes = 0;
    for (const section of this.sections) changes += section.changes;
    return this.compiled !== null && this.compiledAt === changes ? this.compiled : this.compile();
  }

  private compile(): Plan {
    this.sections = this.book.sectionsOf(this.scope);
    this.compiledAt = this.sections.reduce((changes, section) => changes + section.changes, 0);
    this.compiled = compilePlan(
      this.sections.flatMap(section => [...section.plugins]),
      this.scope,
    );
    return this.compiled;
  }
}
