import { Ellipsis } from 'lucide-react';
import type { ReactNode } from 'react';
import { IconButton } from './button.tsx';
import { Menu } from './menu.tsx';

/** What can be done with one row of a table, behind three dots at its end. `label` names the row. */
export function RowMenu({ label, children }: { readonly label: string; readonly children: ReactNode }) {
  return (
    <Menu
      trigger={
        <IconButton label={label} size="sm">
          <Ellipsis size={16} aria-hidden />
        </IconButton>
      }
    >
      {children}
    </Menu>
  );
}
