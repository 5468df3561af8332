/**
 * Finds for every node how short a sentence can be, and removes what has none: afterwards no choice that the
 * recogniser offers is a dead end.
 */
import { itemAt } from './array-frames.ts';
import {
  type ArrayNode,
  capacityOf,
  type DistinctItems,
  type GrammarNode,
  type ObjectMember,
  type ObjectNode,
} from './node.ts';

/** Sets `cost` on every node reachable from the root, prunes, and returns the root's cost (Infinity = no sentence). */
export function measureCosts(root: GrammarNode): number {
  const nodes = collectNodes(root);
  // Children come before parents in this order, so that few rounds are needed; recursion needs more than one.
  for (let isChanged = true; isChanged; ) {
    isChanged = false;
    for (const node of nodes) {
      const cost = costOf(node);
      if (cost >= node.cost) continue;
      node.cost = cost;
      isChanged = true;
    }
  }
  for (const node of nodes) prune(node);
  return root.cost;
}

function childrenOf(node: GrammarNode): readonly GrammarNode[] {
  switch (node.kind) {
    case 'terminal':
      return [];
    case 'sequence':
    case 'choice':
      return node.items;
    case 'repeat':
      return [node.item];
    case 'rule':
      return [node.target];
    case 'array':
      return node.item === null ? node.prefix : [...node.prefix, node.item];
    case 'object':
      return [...node.members, ...node.extras].map(({ value }) => value);
    default:
      return node satisfies never;
  }
}

/** Every reachable node, children first. Not recursive: a schema may be a long chain. */
function collectNodes(root: GrammarNode): readonly GrammarNode[] {
  const seen = new Set<GrammarNode>([root]);
  const ordered: GrammarNode[] = [];
  const todo: { node: GrammarNode; isExpanded: boolean }[] = [{ node: root, isExpanded: false }];
  for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
    if (at.isExpanded) {
      ordered.push(at.node);
      continue;
    }
    todo.push({ node: at.node, isExpanded: true });
    for (const child of childrenOf(at.node)) {
      if (seen.has(child)) continue;
      seen.add(child);
      todo.push({ node: child, isExpanded: false });
    }
  }
  return ordered;
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

function costOf(node: GrammarNode): number {
  switch (node.kind) {
    case 'terminal':
      return node.cost;
    case 'rule':
      return node.target.cost;
    case 'choice':
      return node.items.reduce((least, item) => Math.min(least, item.cost), Infinity);
    case 'sequence':
      return sum(node.items.map((item) => item.cost));
    case 'repeat':
      return node.countMin === 0 ? 0 : node.countMin * node.item.cost;
    case 'array':
      return costOfArray(node);
    case 'object':
      return costOfObject(node);
    default:
      return node satisfies never;
  }
}

function costOfArray(node: ArrayNode): number {
  if (node.countMin > node.countMax) return Infinity;
  const commas = Math.max(0, node.countMin - 1);
  if (node.distinct !== null) {
    if (capacityOf(node.distinct) < node.countMin) return Infinity;
    return 2 + commas + costOfDistinct(node.distinct, node.countMin);
  }
  const fixed = sum(node.prefix.slice(0, node.countMin).map((item) => item.cost));
  const more = node.countMin - node.prefix.length;
  const rest = more <= 0 ? 0 : more * (itemAt(node, node.prefix.length)?.cost ?? Infinity);
  return 2 + commas + fixed + rest;
}

/** Of strings only roughly: the shortest ones are taken at first, later ones grow. */
const costOfDistinct = (distinct: DistinctItems, count: number): number =>
  distinct.type === 'strings'
    ? count * (distinct.machine.lengthMin + 4)
    : sum(distinct.trie.entries.slice(0, count).map(({ text }) => text.length));

const keyCost = (member: ObjectMember): number => JSON.stringify(member.name).length + 2;

/** The members that the shortest object takes: required ones and, in order, as many more as the minimum needs. */
function costOfObject(node: ObjectNode): number {
  const possible = node.members.filter(({ value }) => value.cost !== Infinity);
  const required = node.members.filter(({ isRequired }) => isRequired);
  if (required.length > node.countMax || node.countMin > node.countMax) return Infinity;
  let deficit = Math.max(0, node.countMin - required.length);
  let cost = 2 + sum(required.map((member) => member.value.cost + keyCost(member)));
  for (const member of possible) {
    if (deficit === 0) break;
    if (member.isRequired) continue;
    cost += member.value.cost + keyCost(member);
    deficit--;
  }
  for (const extra of node.extras) {
    if (deficit === 0) break;
    const count = Math.min(deficit, extra.capacity);
    if (extra.value.cost === Infinity || count === 0) continue;
    cost += count * (extra.value.cost + extra.key.lengthMin + 6);
    deficit -= count;
  }
  return deficit > 0 ? Infinity : cost;
}

function prune(node: GrammarNode): void {
  if (node.kind === 'choice') node.items = node.items.filter((item) => item.cost !== Infinity);
  else if (node.kind === 'array') pruneArray(node);
  else if (node.kind === 'object') {
    node.members = node.members.filter(({ value }) => value.cost !== Infinity);
    node.extras = node.extras.filter(({ value, capacity }) => value.cost !== Infinity && capacity > 0);
  }
}

/** An array ends before the first item that cannot exist. */
function pruneArray(node: ArrayNode): void {
  if (node.item?.cost === Infinity) node.item = null;
  const impossible = node.prefix.findIndex((item) => item.cost === Infinity);
  if (impossible >= 0) node.prefix = node.prefix.slice(0, impossible);
  if (impossible >= 0) node.item = null;
  if (node.distinct !== null) node.countMax = Math.min(node.countMax, capacityOf(node.distinct));
  else if (node.item === null) node.countMax = Math.min(node.countMax, node.prefix.length);
}
