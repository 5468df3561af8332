/** The compiled form of a grammar: a graph of nodes, recursive through rules. */
import type { StringMachine } from './string-state.ts';
import { createStringState } from './string-state.ts';
import { completeTerminal, type TerminalState } from './terminal.ts';
import { createTrie, type Trie } from './trie.ts';

interface Measured {
  /** Characters of a short sentence; Infinity = the node has no sentence. Set by `measureCosts`. */
  cost: number;
}

export interface TerminalNode extends Measured {
  readonly kind: 'terminal';
  readonly start: TerminalState;
}

export interface SequenceNode extends Measured {
  readonly kind: 'sequence';
  readonly items: readonly GrammarNode[];
}

export interface ChoiceNode extends Measured {
  readonly kind: 'choice';
  /** Those without a sentence are removed by `measureCosts`. */
  items: readonly GrammarNode[];
}

export interface RepeatNode extends Measured {
  readonly kind: 'repeat';
  readonly item: GrammarNode;
  readonly countMin: number;
  readonly countMax: number;
}

/** A JSON array: `prefix` items, then any number of `item`. */
export interface ArrayNode extends Measured {
  readonly kind: 'array';
  prefix: readonly GrammarNode[];
  item: GrammarNode | null;
  readonly countMin: number;
  countMax: number;
  /** The items are distinct entries of this trie, or distinct strings, instead of `prefix` and `item`. */
  readonly distinct: DistinctItems | null;
}

export type DistinctItems =
  | { readonly type: 'entries'; readonly trie: Trie }
  /** `capacity`: how many different strings there are, as far as it matters. */
  | { readonly type: 'strings'; readonly machine: StringMachine; readonly capacity: number };

export const capacityOf = (distinct: DistinctItems): number =>
  distinct.type === 'entries' ? distinct.trie.entries.length : distinct.capacity;

export interface ObjectMember {
  readonly name: string;
  readonly value: GrammarNode;
  readonly isRequired: boolean;
}

/** Members whose names are not declared. */
export interface ExtraMembers {
  /** What a name looks like; a name that is declared or taken is refused on top of it. */
  readonly key: StringMachine;
  readonly value: GrammarNode;
  /** How many different names exist, as far as it matters. */
  readonly capacity: number;
}

/** A JSON object: declared members in order, then extra ones. */
export interface ObjectNode extends Measured {
  readonly kind: 'object';
  members: readonly ObjectMember[];
  extras: readonly ExtraMembers[];
  readonly countMin: number;
  readonly countMax: number;
  /** Names that extra members may never have. */
  readonly reservedNames: ReadonlySet<string>;
  /** The members' keys with their colons; entry index = member index. Made on first use. */
  keys: Trie | null;
}

/** A named place that other nodes point to, also before its target exists. */
export interface RuleNode extends Measured {
  readonly kind: 'rule';
  target: GrammarNode;
}

export type GrammarNode =
  | TerminalNode
  | SequenceNode
  | ChoiceNode
  | RepeatNode
  | ArrayNode
  | ObjectNode
  | RuleNode;

export const createTerminalNode = (start: TerminalState): TerminalNode => ({
  kind: 'terminal',
  start,
  cost: start.kind === 'special' ? 1 : completeTerminal(start).length,
});

export const createChoiceNode = (items: readonly GrammarNode[]): ChoiceNode => ({
  kind: 'choice',
  items,
  cost: Infinity,
});

/** A node without sentences. */
export const createNeverNode = (): ChoiceNode => createChoiceNode([]);

/** Beyond this, the shortest string is not written out only to be measured. */
const measuredLengthMax = 10_000;

/** A JSON string; a node without sentences when the bounds contradict each other. */
export function createStringNode(machine: StringMachine): GrammarNode {
  const start = createStringState(machine);
  if (start === null) return createNeverNode();
  if (machine.lengthMin > measuredLengthMax) return { kind: 'terminal', start, cost: machine.lengthMin + 2 };
  return createTerminalNode(start);
}

/** The keys of an object's members, each with its colon and an optional space. */
export function keysOf(node: ObjectNode): Trie {
  node.keys ??= createTrie(
    node.members.map(({ name }) => {
      const text = `${JSON.stringify(name)}:`;
      return { text, spacesAfter: [text.length - 1] };
    }),
  );
  return node.keys;
}

const punctuation = (text: string, hasSpace: boolean): TerminalState =>
  createTrie([{ text, spacesAfter: hasSpace ? [text.length - 1] : [] }]).root;

/** Punctuation of arrays and objects; a space may follow a comma and a colon, as small models like it. */
export const punctuationStates = {
  openBrace: punctuation('{', false),
  closeBrace: punctuation('}', false),
  openBracket: punctuation('[', false),
  closeBracket: punctuation(']', false),
  comma: punctuation(',', true),
  colon: punctuation(':', true),
} as const;
