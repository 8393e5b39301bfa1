/** A step down: the text that leads from the node above to this one. */
class Node<T> {
  label: string;
  values: T[] = [];
  readonly children = new Map<number, Node<T>>();

  constructor(label: string) {
    this.label = label;
  }
}

export interface Visitor<T> {
  visit(values: readonly T[]): void;
}

/**
 * Values below text prefixes, in order within one prefix. Finding all prefixes of a text takes as long as the text is, however many
 * there are; so do adding and removing.
 */
export class PrefixTree<T> {
  private readonly root = new Node<T>('');
  private readonly order: (a: T, b: T) => number;

  constructor(order: (a: T, b: T) => number) {
    this.order = order;
  }

  get isEmpty(): boolean {
    return this.root.values.length === 0 && this.root.children.size === 0;
  }

  add(prefix: string, value: T): void {
    const { values } = this.nodeFor(prefix);
    let low = 0;
    for (let high = values.length; low < high; ) {
      const middle = (low + high) >> 1;
      if (this.order(value, values[middle] as T) < 0) high = middle;
      else low = middle + 1;
    }
    values.splice(low, 0, value);
  }

  remove(prefix: string, value: T): void {
    const path: Node<T>[] = [this.root];
    let node = this.root;
    for (let offset = 0; offset < prefix.length; offset += node.label.length) {
      const child = node.children.get(prefix.charCodeAt(offset));
      if (child === undefined) return;
      node = child;
      path.push(node);
    }
    const index = node.values.indexOf(value);
    if (index >= 0) node.values.splice(index, 1);
    this.prune(path);
  }

  /** Shows the values of each prefix of `text`, shortest first. */
  visit(text: string, visitor: Visitor<T>): void {
    let node: Node<T> | undefined = this.root;
    let offset = 0;
    while (node !== undefined && text.startsWith(node.label, offset)) {
      if (node.values.length > 0) visitor.visit(node.values);
      offset += node.label.length;
      node = offset < text.length ? node.children.get(text.charCodeAt(offset)) : undefined;
    }
  }

  private nodeFor(prefix: string): Node<T> {
    let node = this.root;
    let offset = 0;
    while (offset < prefix.length) {
      const first = prefix.charCodeAt(offset);
      const child = node.children.get(first);
      if (child === undefined) {
        const leaf = new Node<T>(prefix.slice(offset));
        node.children.set(first, leaf);
        return leaf;
      }
      const shared = sharedLength(child.label, prefix, offset);
      node = shared < child.label.length ? this.split(node, child, shared) : child;
      offset += shared;
    }
    return node;
  }

  /** Puts a node between, where prefixes part. */
  private split(parent: Node<T>, child: Node<T>, length: number): Node<T> {
    const between = new Node<T>(child.label.slice(0, length));
    parent.children.set(child.label.charCodeAt(0), between);
    child.label = child.label.slice(length);
    between.children.set(child.label.charCodeAt(0), child);
    return between;
  }

  /** Takes away what holds nothing any more, and joins what no longer parts. */
  private prune(path: readonly Node<T>[]): void {
    for (let depth = path.length - 1; depth > 0; depth--) {
      const node = path[depth] as Node<T>;
      const parent = path[depth - 1] as Node<T>;
      if (node.values.length > 0 || node.children.size > 1) return;
      const first = node.label.charCodeAt(0);
      const [only] = node.children.values();
      if (only === undefined) {
        parent.children.delete(first);
      } else {
        only.label = node.label + only.label;
        parent.children.set(first, only);
      }
    }
  }
}

function sharedLength(label: string, text: string, offset: number): number {
  let length = 1;
  while (length < label.length && label.charCodeAt(length) === text.charCodeAt(offset + length)) length++;
  return length;
}
