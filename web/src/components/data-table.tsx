/**
 * Rows and columns. Only the rows in sight are in the document, so a log of a hundred thousand lines scrolls like one
 * of ten; assistive technology is told how many there are.
 */
import { useVirtualizer } from '@tanstack/react-virtual';
import { type CSSProperties, type KeyboardEvent, type ReactNode, useRef } from 'react';
import { useMessages } from '../i18n/language-context.tsx';
import { componentMessages } from './component-messages.ts';
import { cx } from './cx.ts';

export interface Column<Row> {
  readonly id: string;
  readonly header: string;
  cell(row: Row): ReactNode;
  /** Numbers stand right. */
  readonly align?: 'left' | 'right';
  /** CSS width from 640 px on; without one the column shares what is left. */
  readonly width?: string;
  /** Left out below 640 px; what it says must be found elsewhere, too. */
  readonly isHiddenOnPhone?: boolean;
  /** Shown whole below 640 px, too, whatever that pushes out of sight. */
  readonly isWideOnPhone?: boolean;
}

export interface DataTableProps<Row> {
  /** What the table holds, read aloud. */
  readonly label: string;
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  rowKey(row: Row): string;
  /** Opens a row: by press, Enter or space. Up and down move between rows. */
  onRowOpen?(row: Row): void;
  /** Of one row in pixels; rows never wrap. */
  readonly rowHeight?: number;
  /** CSS height at most; beyond it the table scrolls in itself. */
  readonly maxHeight?: string;
  /** Below the last row, such as “Load more”. */
  readonly footer?: ReactNode;
}

const overscanRows = 12;

export function DataTable<Row>(props: DataTableProps<Row>) {
  const { label, columns, rows, rowKey, onRowOpen, rowHeight = 40, maxHeight = '70dvh', footer } = props;
  const t = useMessages(componentMessages);
  const scrollRef = useRef<HTMLDivElement>(null);
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scrollRef.current,
    estimateSize: () => rowHeight,
    overscan: overscanRows,
    // Before the first measurement, so that the table does not jump in.
    initialRect: { width: 800, height: 600 },
  });
  const shown = virtualizer.getVirtualItems();
  const before = shown[0]?.start ?? 0;
  const after = virtualizer.getTotalSize() - (shown.at(-1)?.end ?? 0);
  return (
    <div
      ref={scrollRef}
      role="region"
      aria-label={label}
      tabIndex={0}
      className="relative overflow-auto focus-visible:-outline-offset-2"
      style={{ maxHeight }}
    >
      <table
        aria-rowcount={rows.length + 1}
        className="w-full min-w-max border-separate border-spacing-0 text-sm"
      >
        <thead className="sticky top-0 z-[1] bg-surface">
          <tr>
            {columns.map((column) => (
              <HeaderCell key={column.id} column={column} columns={columns} />
            ))}
          </tr>
        </thead>
        <tbody>
          {before > 0 && <Spacer height={before} />}
          {shown.map(({ index }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              <TableRow
                key={rowKey(row)}
                row={row}
                index={index}
                columns={columns}
                height={rowHeight}
                onOpen={onRowOpen}
              />
            );
          })}
          {after > 0 && <Spacer height={after} />}
        </tbody>
      </table>
      <div className="sticky left-0 flex items-center justify-between gap-3 px-4 py-2 text-xs text-faint">
        <span className="numeric">{t('tableEnd', { count: rows.length })}</span>
        {footer}
      </div>
    </div>
  );
}

interface HeaderCellProps<Row> {
  readonly column: Column<Row>;
  readonly columns: readonly Column<Row>[];
}

function HeaderCell<Row>({ column, columns }: HeaderCellProps<Row>) {
  const className = cx(
    'h-9 border-b border-line text-xs font-medium whitespace-nowrap text-faint sm:w-(--column-width)',
    cellClass(column, columns),
    column.align !== 'right' && 'text-left',
  );
  const style = { '--column-width': column.width } as CSSProperties; // React's types know no custom properties.
  // A column of actions has no heading; an empty one would be read aloud.
  if (column.header === '') return <td style={style} className={className} />;
  return (
    <th scope="col" style={style} className={className}>
      {column.header}
    </th>
  );
}

function cellClass<Row>(column: Column<Row>, columns: readonly Column<Row>[]): string {
  const { header, align, isHiddenOnPhone } = column;
  const shownOnPhone = columns.filter((each) => each.isHiddenOnPhone !== true);
  return cx(
    'px-2.5 sm:px-4',
    column === shownOnPhone[0] && 'pl-4',
    column === shownOnPhone.at(-1) && 'pr-4',
    align === 'right' && 'text-right',
    isHiddenOnPhone === true && 'max-sm:hidden',
    // Actions stay in reach when a narrow window cuts the row.
    header === '' && 'sticky right-0 bg-surface',
  );
}

function Spacer({ height }: { readonly height: number }) {
  return (
    <tr aria-hidden>
      <td style={{ height, padding: 0 }} />
    </tr>
  );
}

interface TableRowProps<Row> {
  readonly row: Row;
  readonly index: number;
  readonly columns: readonly Column<Row>[];
  readonly height: number;
  readonly onOpen: ((row: Row) => void) | undefined;
}

function TableRow<Row>({ row, index, columns, height, onOpen }: TableRowProps<Row>) {
  const onKeyDown = (event: KeyboardEvent<HTMLTableRowElement>): void => {
    if (event.target !== event.currentTarget) return;
    if (event.key === 'Enter' || event.key === ' ') onOpen?.(row);
    else if (event.key === 'ArrowDown') focusRow(event.currentTarget.nextElementSibling);
    else if (event.key === 'ArrowUp') focusRow(event.currentTarget.previousElementSibling);
    else return;
    event.preventDefault();
  };
  return (
    <tr
      aria-rowindex={index + 2}
      tabIndex={onOpen === undefined ? undefined : 0}
      onClick={onOpen === undefined ? undefined : () => onOpen(row)}
      onKeyDown={onOpen === undefined ? undefined : onKeyDown}
      style={{ height }}
      className={cx(
        'group/row',
        onOpen !== undefined && 'hover:bg-hover focus-visible:bg-hover focus-visible:-outline-offset-2',
      )}
    >
      {columns.map((column) => (
        <td
          key={column.id}
          className={cx(
            // Short on a phone, where one long name would push all other columns out of sight.
            column.isWideOnPhone !== true && 'max-sm:max-w-36',
            'max-w-80 truncate border-b border-line group-last/row:border-b-0',
            cellClass(column, columns),
            column.align === 'right' && 'numeric',
          )}
        >
          {column.cell(row)}
        </td>
      ))}
    </tr>
  );
}

function focusRow(element: Element | null): void {
  if (element instanceof HTMLElement && element.tabIndex === 0) element.focus();
}
