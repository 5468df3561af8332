/** Which language the interface speaks: the person's choice, else the browser's first that we have. */
import { createContext, type ReactNode, useCallback, useContext, useEffect, useMemo, useState } from 'react';
import { readPreference, writePreference } from '../preferences.ts';
import {
  formatMessage,
  type Language,
  languages,
  type Messages,
  type MessageValues,
  type Translate,
} from './messages.ts';

interface LanguageState {
  readonly language: Language;
  setLanguage(language: Language): void;
}

const LanguageContext = createContext<LanguageState | undefined>(undefined);

const isLanguage = (value: string | undefined): value is Language => languages.some((each) => each === value);

function chooseLanguage(): Language {
  const chosen = readPreference('language');
  if (isLanguage(chosen)) return chosen;
  return navigator.languages.map((tag) => tag.split('-')[0]).find(isLanguage) ?? 'en';
}

/** Gives the language to everything below, and to the page itself (`<html lang>`), for screen readers and fonts. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setState] = useState<Language>(chooseLanguage);
  useEffect(() => {
    document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  }, [language]);
  const state = useMemo<LanguageState>(
    () => ({
      language,
      setLanguage(next) {
        writePreference('language', next);
        setState(next);
      },
    }),
    [language],
  );
  return <LanguageContext.Provider value={state}>{children}</LanguageContext.Provider>;
}

/** The language and how to change it. */
export function useLanguage(): LanguageState {
  const state = useContext(LanguageContext);
  if (state === undefined) throw new Error('useLanguage outside of LanguageProvider');
  return state;
}

/** The texts of one view: `const t = useMessages(keysMessages); t('title')`. */
export function useMessages<Keys extends string>(messages: Messages<Keys>): Translate<Keys> {
  const { language } = useLanguage();
  return useCallback(
    (key: Keys, values: MessageValues = {}) => formatMessage(messages[language][key], values, language),
    [messages, language],
  );
}
