import path from 'node:path';
import type { Archive } from '../open-archive.ts';
import { walkXml } from '../walk-xml.ts';

/**
 * Where the parts that a part of an Office file refers to are (ECMA-376, part 2, section 6.5): id → name in the archive.
 * Parts outside the file are left out: nothing is fetched.
 */
export function readRelations(archive: Archive, part: string): ReadonlyMap<string, string> {
  const { dir, base } = path.posix.parse(part);
  const relations = new Map<string, string>();
  const xml = archive.readText(`${dir}/_rels/${base}.rels`);
  if (xml === undefined) return relations;
  walkXml(xml, {
    onOpen(name, { Id: id, Target: target, TargetMode: mode }) {
      if (name !== 'Relationship' || id === undefined || target === undefined || mode === 'External') return;
      relations.set(id, target.startsWith('/') ? target.slice(1) : path.posix.join(dir, target));
    },
  });
  return relations;
}
