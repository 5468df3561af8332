import { Card } from '../../components/card.tsx';
import { Page } from '../../components/page.tsx';
import { Segments } from '../../components/segments.tsx';
import { useLanguage, useMessages } from '../../i18n/language-context.tsx';
import { setTheme, themes, useTheme } from '../../theme.ts';
import { PasswordForm } from './password-form.tsx';
import { ProfileForm } from './profile-form.tsx';
import { SessionList } from './session-list.tsx';
import { settingsMessages } from './settings-messages.ts';

export function SettingsPage() {
  const t = useMessages(settingsMessages);
  return (
    <Page title={t('title')} width="text">
      <ProfileForm />
      <PasswordForm />
      <SessionList />
      <Appearance />
    </Page>
  );
}

function Appearance() {
  const t = useMessages(settingsMessages);
  const theme = useTheme();
  const { language, setLanguage } = useLanguage();
  return (
    <Card title={t('appearance')}>
      <div className="flex flex-wrap gap-x-10 gap-y-4">
        <div className="flex flex-col gap-1.5">
          <p className="text-sm font-medium">{t('theme')}</p>
          <Segments
            label={t('theme')}
            value={theme}
            options={themes.map((value) => ({ value, label: t(value) }))}
            onChange={setTheme}
          />
        </div>
        <div className="flex flex-col gap-1.5">
          <p className="text-sm font-medium">{t('language')}</p>
          <Segments
            label={t('language')}
            value={language}
            options={[
              { value: 'en', label: 'English' },
              { value: 'zh', label: '中文' },
            ]}
            onChange={setLanguage}
          />
        </div>
      </div>
    </Card>
  );
}
