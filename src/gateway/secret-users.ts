import { keyOf, type RowPointer } from './row-pointer.ts';

const NONE: ReadonlySet<string> = new Set();

/** Which rows have which references. */
export class SecretUsers {
  private readonly rows = new Map<string, Map<string, RowPointer>>();
  private readonly references = new Map<string, ReadonlySet<string>>();

  /** The rows that have a reference. */
  of(reference: string): Iterable<RowPointer> {
    return this.rows.get(reference)?.values() ?? [];
  }

  /** Takes over what rows refer to from now on. Returns the references that no row has any more. */
  keep(rows: readonly (readonly [RowPointer, ReadonlySet<string>])[]): readonly string[] {
    const dropped: (readonly [reference: string, row: string])[] = [];
    for (const [pointer, references] of rows) {
      const row = keyOf(pointer);
      for (const before of this.references.get(row) ?? NONE) if (!references.has(before)) dropped.push([before, row]);
      for (const reference of references) this.rows.set(reference, (this.rows.get(reference) ?? new Map()).set(row, pointer));
      if (references.size > 0) this.references.set(row, references);
      else this.references.delete(row);
    }
    return dropped.filter(([reference, row]) => this.drop(reference, row)).map(([reference]) => reference);
  }

  /** Whether it was the last row that had it. */
  private drop(reference: string, row: string): boolean {
    const rows = this.rows.get(reference);
    return rows?.delete(row) === true && rows.size === 0 && this.rows.delete(reference);
  }
}
