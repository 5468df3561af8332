import { useState } from 'react';
import { Page } from '../../components/page.tsx';
import { Tabs } from '../../components/tabs.tsx';
import { useMessages } from '../../i18n/language-context.tsx';
import { AccountList } from './account-list.tsx';
import { accountsMessages } from './accounts-messages.ts';
import { InviteList } from './invite-list.tsx';
import { ResetRequests } from './reset-requests.tsx';

type Tab = 'accounts' | 'invites' | 'resets';

export function AccountsPage() {
  const t = useMessages(accountsMessages);
  const [tab, setTab] = useState<Tab>('accounts');
  return (
    <Page title={t('title')} description={t('description')}>
      <Tabs<Tab>
        label={t('title')}
        value={tab}
        onChange={setTab}
        items={[
          { value: 'accounts', label: t('accounts'), content: <AccountList /> },
          { value: 'invites', label: t('invites'), content: <InviteList /> },
          { value: 'resets', label: t('resets'), content: <ResetRequests /> },
        ]}
      />
    </Page>
  );
}
