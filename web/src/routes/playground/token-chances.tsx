import { Fragment, type KeyboardEvent, useState } from 'react';
import { cx } from '../../components/cx.ts';
import { useFormats } from '../../formats/use-formats.ts';
import { useMessages } from '../../i18n/language-context.tsx';
import { playgroundMessages } from './playground-messages.ts';
import type { TokenChance } from './read-token-chances.ts';

/** The answer token by token, the doubtful ones marked; of the chosen one, what else might have stood there. */
export function TokenChances({ tokens }: { readonly tokens: readonly TokenChance[] }) {
  const t = useMessages(playgroundMessages);
  const [chosen, setChosen] = useState(0);
  const token = tokens[chosen];
  if (token === undefined) return null;
  return (
    <div className="mt-3 flex flex-col gap-3">
      <p className="text-xs text-faint">{t('chancesHint')}</p>
      <div
        role="toolbar"
        aria-label={t('chances')}
        onKeyDown={moveFocus}
        className="max-h-[28vh] overflow-y-auto rounded-md border border-line bg-sunken p-3 font-mono text-xs leading-6 break-words whitespace-pre-wrap"
      >
        {tokens.map((each, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: tokens stay in their places, and many are the same.
          <Fragment key={index}>
            <button
              type="button"
              aria-pressed={index === chosen}
              tabIndex={index === chosen ? 0 : -1}
              onFocus={() => setChosen(index)}
              onPointerEnter={() => setChosen(index)}
              onClick={() => setChosen(index)}
              className={cx(
                'rounded-xs whitespace-pre-wrap text-text',
                toneOf(each.probability),
                index === chosen && 'outline-2 -outline-offset-1 outline-accent',
              )}
            >
              {each.token.replaceAll('\n', '↵')}
            </button>
            {/* A button is a box of its own: a line that broke within would not end the line outside. */}
            {each.token.replaceAll(/[^\n]/g, '')}
          </Fragment>
        ))}
      </div>
      <ChanceTable token={token} />
    </div>
  );
}

function ChanceTable({ token }: { readonly token: TokenChance }) {
  const t = useMessages(playgroundMessages);
  const { percent } = useFormats();
  const isListed = token.alternatives.some((other) => other.token === token.token);
  const rows = isListed ? token.alternatives : [token, ...token.alternatives];
  return (
    <table className="w-full text-sm">
      <caption className="sr-only">{t('chancesOf', { token: JSON.stringify(token.token) })}</caption>
      <thead>
        <tr className="text-left text-xs text-faint">
          <th className="py-1 pr-3 font-medium">{t('chancesToken')}</th>
          <th className="w-full py-1 pr-3" aria-hidden />
          <th className="py-1 text-right font-medium">{t('chancesProbability')}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row, index) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: two alternatives may read the same.
          <tr key={index} className="border-t border-line">
            <td className="max-w-60 truncate py-1 pr-3 font-mono text-xs">
              {JSON.stringify(row.token).slice(1, -1)}
              {row.token === token.token && <span className="sr-only"> {t('chancesTaken')}</span>}
            </td>
            <td className="py-1 pr-3">
              <div
                style={{ width: `${Math.max(0.5, row.probability * 100)}%` }}
                className={cx(
                  'h-1.5 rounded-full',
                  row.token === token.token ? 'bg-accent-fill' : 'bg-control',
                )}
              />
            </td>
            <td className="numeric py-1 text-right whitespace-nowrap">{percent(row.probability)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Below a half another token was likelier, or nearly; below a tenth it was a surprise. */
function toneOf(probability: number): string | undefined {
  if (probability < 0.1) return 'bg-danger-soft';
  return probability < 0.5 ? 'bg-warning-soft' : undefined;
}

function moveFocus(event: KeyboardEvent<HTMLElement>): void {
  const step = { ArrowRight: 'nextElementSibling', ArrowLeft: 'previousElementSibling' } as const;
  if (event.key !== 'ArrowRight' && event.key !== 'ArrowLeft') return;
  const next = document.activeElement?.[step[event.key]];
  if (next instanceof HTMLElement) next.focus();
  event.preventDefault();
}
